#pragma once

#include <boost/crc.hpp>
#include <boost/iostreams/copy.hpp>
#include <boost/iostreams/filter/zlib.hpp>
#include <boost/iostreams/filtering_stream.hpp>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace sae {

/// Four bytes, the highest first, as in IDX files.
inline std::string idx_word(std::uint32_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

/// An IDX file of unsigned bytes.
inline std::string idx_file(const std::vector<std::uint32_t>& shape, const std::string& data) {
  std::string bytes = idx_word(0x800 + static_cast<std::uint32_t>(shape.size()));
  for (const std::uint32_t size : shape) bytes += idx_word(size);
  return bytes + data;
}

inline std::string packed_with_gzip(const std::string& bytes) {
  std::istringstream in(bytes);
  std::ostringstream out;
  boost::iostreams::zlib_params raw;
  raw.noheader = true;
  boost::iostreams::filtering_ostream chain;
  chain.push(boost::iostreams::zlib_compressor(raw));
  chain.push(out);
  boost::iostreams::copy(in, chain);

  boost::crc_32_type check_sum;
  check_sum.process_bytes(bytes.data(), bytes.size());
  const std::string crc = idx_word(check_sum.checksum());
  const std::string size = idx_word(static_cast<std::uint32_t>(bytes.size()));
  std::string result("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  result.append(out.str()).append(crc.rbegin(), crc.rend());
  return result.append(size.rbegin(), size.rend());
}

}  // namespace sae
