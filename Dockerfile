# syntax=docker/dockerfile:1
# The production image: the compiled program, Node, git and nothing else of the tool chain. It runs as a user without
# privileges, writes below /data only (`docker run --read-only --tmpfs /tmp` works), and brings the embedded Postgres;
# with DATABASE_URL that is not started. See docs/operations.md, "Containers".

FROM node:24-bookworm-slim AS base
WORKDIR /app

# What runs: dependencies without the development ones. Scripts run, since one makes the links in the Postgres package.
FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund

# What is compiled.
FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY controller controller
COPY sdk/typescript sdk/typescript
COPY ui ui
RUN npm run build

FROM base
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Stateward" \
      org.opencontainers.image.description="GitOps for AI agents" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# git reads and writes the state repo, ssh reaches private ones, tini passes signals on and reaps agents that were left.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=node --group=node --mode=0750 /data

COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/ui/dist ui/dist
COPY controller/migrations controller/migrations
COPY state-repo state-repo
COPY crds crds
COPY bin bin
COPY package.json LICENSE README.md ./

# The API listens on the container's loopback, as everywhere: `docker exec` runs the CLI beside it.
ENV NODE_ENV=production \
    PATH=/app/bin:$PATH \
    STATEWARD_DATA=/data \
    STATEWARD_PORT=8088 \
    STATEWARD_LOG_FORMAT=json
USER 1000:1000
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.STATEWARD_PORT}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "stateward"]
CMD ["up"]
