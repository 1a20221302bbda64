#include "sae/core/error.hpp"

#include <fmt/format.h>

#include <new>

#include "sae/core/host.hpp"

namespace sae {

ExitCode code_of(const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  return known != nullptr ? known->code() : ExitCode::kInternal;
}

std::string sentence_of(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) == nullptr) return error.what();
  return fmt::format("There is not enough memory: {:.0f} MB are available on {}.",
                     available_memory() / 1e6, host_name());
}

}  // namespace sae
