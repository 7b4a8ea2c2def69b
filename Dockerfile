# The wheel that `make dist` made, with what requirements/run.txt locks; docs/install.md shows its use.
FROM python:3.13-slim-trixie AS build
WORKDIR /build
COPY requirements/run.txt ./
RUN python -m venv /opt/smbrare \
    && /opt/smbrare/bin/pip install --no-cache-dir --require-hashes --requirement run.txt
COPY dist/smbrare-*.whl ./
RUN /opt/smbrare/bin/pip install --no-cache-dir --no-deps smbrare-*.whl \
    && /opt/smbrare/bin/pip uninstall --yes pip

FROM python:3.13-slim-trixie
COPY --from=build /opt/smbrare /opt/smbrare
ENV PATH=/opt/smbrare/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
# A number, so that a cluster can tell that it is not root.
USER 65532:65532
WORKDIR /logs
ENTRYPOINT ["smbrare"]
CMD ["--help"]
