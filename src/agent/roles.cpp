#include "bernstein/agent/roles.hpp"

#include "bernstein/base/embedded.hpp"

namespace bernstein::agent {

std::span<const EmbeddedText> role_files();  // generated from roles/*.md

std::string_view built_in_role(std::string_view role) {
  for (const EmbeddedText& file : role_files()) {
    if (file.name == role) return file.text;
  }
  return {};
}

std::vector<std::string_view> built_in_roles() {
  std::vector<std::string_view> names;
  for (const EmbeddedText& file : role_files()) names.push_back(file.name);
  return names;
}

}  // namespace bernstein::agent
