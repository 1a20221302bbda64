"""Reads TensorBoard's event files by the published formats alone: frames, check sums, wire format."""

import struct
import zlib

import numpy as np


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


CRC_TABLE = _crc_table()


def masked_crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC_TABLE[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    """The bytes of each record; throws ValueError at the first that is cut or damaged."""
    at = 0
    while at < len(data):
        if len(data) < at + 12:
            raise ValueError(f"cut at {at}")
        length, check = struct.unpack_from("<QI", data, at)
        if check != masked_crc32c(data[at:at + 8]):
            raise ValueError(f"length at {at} is damaged")
        record = data[at + 12:at + 12 + length]
        if len(data) < at + 16 + length:
            raise ValueError(f"record at {at} is cut")
        if struct.unpack_from("<I", data, at + 12 + length)[0] != masked_crc32c(record):
            raise ValueError(f"record at {at} is damaged")
        yield record
        at += 16 + length


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def fields(data):
    """Number -> list of values: integers, or bytes of the wire types 1, 2 and 5."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
            value = value - 2**64 if value >= 2**63 else value
        else:
            size = {1: 8, 5: 4}.get(kind)
            if size is None:
                assert kind == 2, kind
                size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            assert len(value) == size
        found.setdefault(key >> 3, []).append(value)
    return found


def histogram(data):
    found = fields(data)
    numbers = {name: struct.unpack("<d", found[number][0])[0] if number in found else 0.0
               for number, name in enumerate(("min", "max", "num", "sum", "sum_squares"), 1)}
    return {**numbers, "limits": np.frombuffer(found[6][0], "<f8"),
            "counts": np.frombuffer(found[7][0], "<f8")}


def picture(data):
    """A grey PNG image as an array."""
    found = fields(data)
    pixels = png_pixels(found[4][0])
    assert pixels.shape == (found[1][0], found[2][0]) and found[3][0] == 1
    return pixels


def png_pixels(data):
    """The pixels of a PNG file, grey with 8 bits, that knows no filter but 'none'."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            width, height, depth, colour, *_ = struct.unpack(">IIBBBBB", body)
            assert (depth, colour) == (8, 0)
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any(), "rows are filtered"
    return rows[:, 1:]


def graph(data):
    """Name -> (operation, inputs, shape) of each node."""
    nodes = {}
    for node in fields(data)[1]:
        found = fields(node)
        attributes = {fields(entry)[1][0].decode(): fields(entry)[2][0] for entry in found[5]}
        shape = fields(fields(fields(attributes["_output_shapes"])[1][0])[7][0]).get(2, [])
        nodes[found[1][0].decode()] = (
            found[2][0].decode(), [name.decode() for name in found.get(3, [])],
            [fields(size).get(1, [0])[0] for size in shape])
    return nodes


def events_of(folder):
    """All events of a folder's files, in the order in which TensorBoard reads them: dictionaries
    with `step` and one of `version`, `graph`, `start` and `values`, which maps tags to values."""
    found = []
    for path in sorted(folder.iterdir()):
        assert path.name.startswith("events.out.tfevents."), path
        for number, record in enumerate(records(path.read_bytes())):
            event = fields(record)
            assert (3 in event) == (number == 0), "the version comes first, and nowhere else"
            told = {"step": event.get(2, [0])[0], "time": struct.unpack("<d", event[1][0])[0]}
            if 3 in event:
                assert event[3] == [b"brain.Event:2"]
                told["version"] = 2
            elif 4 in event:
                told["graph"] = graph(event[4][0])
            elif 7 in event:
                assert fields(event[7][0])[1] == [1]
                told["start"] = True
            else:
                told["values"] = dict(map(value, fields(event[5][0])[1]))
            found.append(told)
    return found


def value(data):
    found = fields(data)
    tag = found[1][0].decode()
    if 2 in found:
        return tag, struct.unpack("<f", found[2][0])[0]
    if 4 in found:
        return tag, picture(found[4][0])
    if 5 in found:
        return tag, histogram(found[5][0])
    assert fields(fields(found[9][0])[1][0])[1] == [b"text"]
    return tag, fields(found[8][0])[8][0].decode()


def curves(folder):
    """Tag -> list of (step, value) that hold: without what a later start voids."""
    found = {}
    for event in events_of(folder):
        if "start" in event:
            for tag, points in found.items():
                found[tag] = [point for point in points if point[0] < event["step"]]
        for tag, told in event.get("values", {}).items():
            found.setdefault(tag, []).append((event["step"], told))
    return found
