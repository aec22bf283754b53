#include "files.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace bernstein::run {

std::string read_end(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const std::streamoff size = file.tellg();
  const std::streamoff from = std::max<std::streamoff>(0, size - static_cast<std::streamoff>(bytes_max));
  std::string text(static_cast<std::size_t>(size - from), '\0');
  file.seekg(from);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

Status write_file(const std::string& path, const std::string& text) {
  std::error_code ignored;  // what is wrong shows when it is written
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::environment, "cannot write " + path + "; is the disk full?"};
  return Ok{};
}

}  // namespace bernstein::run
