#pragma once
// The files of migrations/, embedded in the binary in the order of their names (cmake/EmbedMigrations.cmake).

#include <span>
#include <string_view>

namespace bernstein::store {

struct Migration {
  std::string_view name;  // "0001_events"
  std::string_view sql;
};

std::span<const Migration> migrations();

}  // namespace bernstein::store
