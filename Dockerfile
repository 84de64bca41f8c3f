# docker build -t alder . && docker run -p 127.0.0.1:7700:7700 -v alder:/data -v ~/notes:/notes:ro alder serve /notes
#
# In a container the server listens on all addresses, so that it asks for a key: make one first with
#   docker run --rm -v alder:/data alder keys create me --scope admin
FROM rust:1.95-slim AS build
WORKDIR /alder
COPY . .
RUN cargo build --release --locked

FROM debian:trixie-slim
RUN useradd --system --create-home --home-dir /data alder
COPY --from=build /alder/target/release/alder /usr/local/bin/alder
USER alder
ENV ALDER_DATA_DIR=/data ALDER_ADDRESS=0.0.0.0:7700
VOLUME /data
EXPOSE 7700
STOPSIGNAL SIGTERM
ENTRYPOINT ["alder"]
CMD ["serve", "--no-open"]
