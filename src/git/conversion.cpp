#include "conversion.hpp"

#include <fstream>
#include <iterator>

#include "bernstein/base/sha256.hpp"
#include "bernstein/base/text.hpp"
#include "bernstein/git/workspace.hpp"
#include "files.hpp"

namespace bernstein::git {
namespace {

using ConfigIterator = std::unique_ptr<git_config_iterator, Deleter<git_config_iterator_free>>;

// No part can be taken for the end of the one before it.
void add(std::string& text, std::string_view part) {
  text += std::to_string(part.size());
  text += ':';
  text += part;
}

// The person's or the machine's own file, which may well be a link.
void add_file(std::string& text, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  add(text, path);
  add(text, std::string(std::istreambuf_iterator<char>(file), {}));
}

void add_files_of_level(std::string& text, git_config_level_t level, const std::string& name) {
  Buffer directories;
  if (git_libgit2_opts(GIT_OPT_GET_SEARCH_PATH, static_cast<int>(level), directories.get()) < 0) return;
  for (const std::string_view directory : split(directories.bytes(), ':')) {
    add_file(text, std::string(directory) + "/" + name);
  }
}

Status add_settings(std::string& text, git_repository* repository) {
  BERNSTEIN_TRY(const Config config,
                make<Config>("cannot read the configuration", git_repository_config_snapshot, repository));
  BERNSTEIN_TRY(
      const ConfigIterator entries,
      make<ConfigIterator>("cannot read the configuration", git_config_iterator_glob_new, config.get(), "^core\\."));
  git_config_entry* entry = nullptr;
  while (git_config_next(&entry, entries.get()) == 0) {
    add(text, entry->name);
    add(text, entry->value == nullptr ? "" : entry->value);
  }
  Buffer attributes;
  if (git_config_get_path(attributes.get(), config.get(), "core.attributesfile") == 0) {
    add_file(text, std::string(attributes.bytes()));
  }
  return Ok{};
}

}  // namespace

Result<std::string> conversion_key(const Layout& layout, const BareView& view, const Files& files) {
  std::string text;
  add(text, libgit2_version());
  add_file(text, "/proc/sys/kernel/random/boot_id");
  BERNSTEIN_TRY_VOID(add_settings(text, view.repository.get()));
  add_files_of_level(text, GIT_CONFIG_LEVEL_XDG, "attributes");
  add_files_of_level(text, GIT_CONFIG_LEVEL_SYSTEM, "gitattributes");
  add_file(text, layout.git_dir + "/info/attributes");
  for (const auto& [path, file] : files) {
    if (!path.ends_with(".gitattributes")) continue;
    add(text, path);
    add(text, to_hex(file.id) + std::to_string(file.mode));
  }
  return bernstein::to_hex(sha256(text));
}

}  // namespace bernstein::git
