# Attaché, without what is only for development: docker build -t attache .
# docs/containers.md says how it is run. There are no secrets in it, and it runs as nobody in particular.
FROM node:26-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
COPY test/fixtures/modules/hello-world test/fixtures/modules/hello-world
# No package needs its install script: the image has its own node.
RUN npm ci --ignore-scripts
COPY . .
RUN npm run prepack
RUN npm prune --omit=dev --ignore-scripts

FROM node:26-slim
WORKDIR /opt/attache
COPY --from=build /src/package.json /src/LICENSE ./
COPY --from=build /src/node_modules node_modules
COPY --from=build /src/bin bin
COPY --from=build /src/proto proto
COPY --from=build /src/plugins/sdk plugins/sdk
COPY --from=build /src/plugins/template plugins/template
COPY --from=build /src/deploy/healthcheck.mjs deploy/healthcheck.mjs
COPY --from=build /src/dist dist
RUN ln -s /opt/attache/bin/attache /usr/local/bin/attache && install -d -o 1000 -g 1000 -m 0700 /data
# Reached from outside of the container or not at all. Off loopback Attaché wants TLS, or to be told that it need not.
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE= \
    ATTACHE_DATA=/data \
    ATTACHE_XDS_LISTEN=0.0.0.0:18000 \
    ATTACHE_MODULES_LISTEN=0.0.0.0:18001 \
    ATTACHE_API_LISTEN=0.0.0.0:18002
USER 1000:1000
WORKDIR /data
VOLUME /data
EXPOSE 18000 18001 18002
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["node", "/opt/attache/deploy/healthcheck.mjs"]
ENTRYPOINT ["attache"]
CMD ["serve"]
