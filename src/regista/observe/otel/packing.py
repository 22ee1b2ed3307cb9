"""A span as it waits in memory and travels to the store: msgpack. Knows no encoding that others send."""

import msgspec

from regista.observe.otel.nouns import OtlpSpan

encode_span = msgspec.msgpack.Encoder().encode
decode_span = msgspec.msgpack.Decoder(OtlpSpan).decode
