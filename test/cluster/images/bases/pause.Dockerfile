# The first container of every pod: one static program of our own. The kubelet of a box takes it from the archive that pause-image.ts makes.
FROM scratch
COPY pause /pause
USER 65535:65535
ENTRYPOINT ["/pause"]
