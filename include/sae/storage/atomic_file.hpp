#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace sae {

/// A file that appears under its name complete, or not at all. It is written under
/// a temporary name in the same folder, unique to host and process, and renamed.
///
///   AtomicFile file(path);
///   ... write file.temporary_path(), close it ...
///   file.commit();
///
/// Throws: OutputError naming the path and the system's reason, from every
/// function that does something.
class AtomicFile {
 public:
  /// Makes the empty temporary file, so that a folder that cannot be written is
  /// found before the work is done.
  explicit AtomicFile(std::filesystem::path final_path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Removes the temporary file if it has not been renamed.
  ~AtomicFile();

  const std::filesystem::path& final_path() const { return final_path_; }
  const std::filesystem::path& temporary_path() const { return temporary_path_; }

  /// The three steps below, in this order.
  void commit();

  void sync_file();
  void rename_into_place();  ///< From here on the destructor leaves the file alone.
  void sync_folder();

 private:
  std::filesystem::path final_path_;
  std::filesystem::path temporary_path_;
  bool renamed_ = false;
};

/// Writes a text file that appears complete, or not at all. `before_rename`, if given, may refuse
/// by throwing. Throws: OutputError.
void write_text_file(const std::filesystem::path& path, const std::string& text,
                     const std::function<void()>& before_rename = {});

}  // namespace sae
