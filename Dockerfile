# smbrare with what requirements/run.txt locks; docs/install.md shows how to run it.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
COPY requirements/run.txt requirements/run.txt
RUN python -m venv /opt/smbrare \
    && /opt/smbrare/bin/pip install --no-cache-dir --require-hashes --requirement requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY man man
COPY smbrare smbrare
RUN /opt/smbrare/bin/pip install --no-cache-dir --no-deps . \
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
