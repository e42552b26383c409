# The chat and the `tanya` command; the archive lives in the volume /data.
#   docker build -t tanya-arsip .
#   docker run --rm -it -v tanya-data:/data tanya-arsip user add NAME --role operator
#   docker run -p 127.0.0.1:7860:7860 -v tanya-data:/data tanya-arsip
FROM python:3.13-slim AS wheel
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel /source

FROM python:3.13-slim
# PyTorch's index of CPU wheels: the usual build brings gigabytes of CUDA.
ARG TORCH_INDEX=""
COPY requirements.lock /tmp/
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel \
    pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} \
        "$(grep '^torch==' /tmp/requirements.lock)" \
    && pip install --no-cache-dir -c /tmp/requirements.lock /wheel/*.whl \
    && useradd --system --create-home tanya && install -d -o tanya /data
USER tanya
WORKDIR /data
ENV TANYA_HOME=/data
VOLUME /data
EXPOSE 7860
HEALTHCHECK --start-period=60s --timeout=10s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/page/assets/icon.svg', timeout=8)"]
ENTRYPOINT ["tanya"]
CMD ["serve", "--host", "0.0.0.0"]
