# Stands in for the registry's nats:2.12.15-scratch: the static server that was built from its Go module.
FROM scratch
COPY nats-server /nats-server
ENTRYPOINT ["/nats-server"]
