# The image of a release: GoReleaser puts the binaries that it built beside this file, below
# the name of their platform. It holds one static binary, the authorities that a TLS client
# trusts, and a user who is nobody; no shell, but for the tags that end with -shell.
#
#   docker run --rm -e CONFORM_PASSWORD -v "$PWD:/work" ghcr.io/ucwa-conform/conform run --sip sip:dana@contoso.com --out report
ARG BASE=gcr.io/distroless/static-debian12:nonroot
FROM ${BASE}
ARG TARGETPLATFORM
COPY ${TARGETPLATFORM}/conform /usr/local/bin/conform
COPY LICENSE NOTICE /usr/share/doc/conform/
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/conform"]
