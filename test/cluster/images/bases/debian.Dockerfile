# Stands in for the registry's debian:bookworm-slim: a root file system that mmdebstrap made from the machine's own package sources.
FROM scratch
ADD debian.tar /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
CMD ["bash"]
