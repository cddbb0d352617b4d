# Stands in for the registry's node:24-bookworm-slim: Debian, the user `node`, the project's own pinned node and a pinned npm.
# The build contexts `node` and `npm` are directories that base-images.ts prepares.
ARG DEBIAN_BASE
FROM ${DEBIAN_BASE}
RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node
COPY --from=node node /usr/local/bin/node
COPY --from=npm package /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
CMD ["node"]
