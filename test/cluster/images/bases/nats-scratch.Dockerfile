# Stands in for the registry's nats:2.12.15-scratch: the static server built from its Go module, in the context `bin`.
FROM scratch
COPY --from=bin nats-server /nats-server
ENTRYPOINT ["/nats-server"]
