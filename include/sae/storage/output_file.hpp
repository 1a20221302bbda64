#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace sae {

/// A file that appears under its name complete, or not at all. It is written under a temporary name
/// in the same folder, which is made exclusively and not taken by anybody else, and renamed. Where
/// its name is a link, the link stays and the file it leads to is replaced.
///
///   OutputFile file(path);
///   ... write file.temporary_path(), close it ...
///   file.commit();
///
/// Throws: OutputError naming the path and the system's reason, from every
/// function that does something.
class OutputFile {
 public:
  /// What becomes of a device, a pipe or a socket under the file's name.
  enum class Special {
    kRefused,
    kWrittenThrough  ///< temporary_path() is the file itself: for what is written in one go.
  };

  /// Makes the empty temporary file, so that a folder that cannot be written is
  /// found before the work is done.
  explicit OutputFile(const std::filesystem::path& name, Special special = Special::kRefused);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Removes the temporary file if it has not been renamed.
  ~OutputFile();

  const std::filesystem::path& final_path() const { return final_path_; }
  const std::filesystem::path& temporary_path() const { return temporary_path_; }

  /// All that the file will hold; closes it.
  void write(std::string_view bytes);

  /// The three steps below, in this order.
  void commit();

  void sync_file();
  void rename_into_place();  ///< From here on the destructor leaves the file alone.
  void sync_folder();

  /// Whether a file of this name is one that a killed process has not finished.
  static bool is_unfinished(const std::filesystem::path& path);

 private:
  std::filesystem::path final_path_;  // No link.
  std::filesystem::path temporary_path_;
  bool in_place_ = false;  // There is nothing to rename, or not any more.
};

/// Writes a text file that appears complete, or not at all. `before_rename`, if given, may refuse
/// by throwing. Throws: OutputError.
void write_text_file(const std::filesystem::path& path, const std::string& text,
                     const std::function<void()>& before_rename = {});

}  // namespace sae
