#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sae {

/// Runs a script with numpy as np and h5py imported in `folder`; expects that it succeeds.
inline void run_python(const std::filesystem::path& folder, const std::string& script) {
  const std::filesystem::path file = folder / "script.py";
  std::ofstream(file) << "import h5py, numpy as np\n" << script;
  const std::string command =
      fmt::format("cd '{}' && '{}' '{}'", folder.string(), SAE_PYTHON, file.string());
  EXPECT_EQ(std::system(command.c_str()), 0) << script;
}

}  // namespace sae
