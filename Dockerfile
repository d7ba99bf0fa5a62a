# The `rekey` program as an image: built in one stage, run in another that has neither compiler nor
# development packages, by a user who owns nothing in it.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /rekey
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN scripts/build.sh

FROM node:24.21.0-bookworm-slim AS modules
WORKDIR /rekey
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:24.21.0-bookworm-slim
# Certificates of public authorities: providers and a hosted Temporal are reached by TLS.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --user-group --create-home --uid 10001 rekey \
  && install --directory --owner rekey --group rekey --mode 0700 /home/rekey/audit \
  && ln -s /rekey/dist/bin/rekey.js /usr/local/bin/rekey
WORKDIR /rekey
COPY --from=modules /rekey/node_modules node_modules
COPY --from=build /rekey/dist dist
COPY package.json ./
ENV NODE_ENV=production REKEY_HOME=/home/rekey/.rekey
USER rekey
ENTRYPOINT ["rekey"]
CMD ["worker"]
