# One image, three programs: shm-operator, shm-webhook and shmctl, and nothing they do not need: no
# shell, no package manager. It runs as 65532 on a read-only root.
#
#   docker build -t shm-operator .        compiles everything in here
#   deploy/image/build.sh FILE.tar        packs programs that are compiled already, which takes seconds
#
# Both make the same last stage. What differs is where its files come from:
#   ROOTFS=compiled   the stage below, from BASE_IMAGE
#   ROOTFS=prebuilt   build/image/rootfs, which deploy/image/collect.sh filled outside. Tests do that, since
#                     a compilation in here cannot use the compiler cache and costs minutes.
# (Debian 12's podman and buildah overlook the default below: say --build-arg ROOTFS=compiled to them.)
ARG BASE_IMAGE=debian:bookworm-slim
ARG ROOTFS=compiled

FROM ${BASE_IMAGE} AS compiled
WORKDIR /src
COPY scripts/install-deps.sh scripts/
RUN scripts/install-deps.sh build
COPY . .
RUN scripts/build-release.sh
RUN deploy/image/collect.sh build/release/bin /rootfs

FROM scratch AS prebuilt
COPY build/image/rootfs/ /rootfs/

FROM ${ROOTFS} AS rootfs

FROM scratch
LABEL org.opencontainers.image.title="shm-operator" \
      org.opencontainers.image.description="Gives GPU pods a memory-backed /dev/shm of the right size"
COPY --from=rootfs /rootfs/ /
ENV PATH=/usr/local/bin
USER 65532:65532
CMD ["shm-operator"]
