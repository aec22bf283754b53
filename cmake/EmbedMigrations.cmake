# Writes a C++ file that holds the text of every migration, in the order of their names.
#   cmake -DIN=<directory of *.sql> -DOUT=<file.cpp> -P EmbedMigrations.cmake
file(GLOB files "${IN}/*.sql")
list(SORT files COMPARE NATURAL)
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  file(READ "${file}" sql)
  string(FIND "${sql}" ")SQL\"" terminator)
  if(NOT terminator EQUAL -1)
    message(FATAL_ERROR "${file}: ')SQL\"' would end the C++ literal that holds the text; write it differently")
  endif()
  string(APPEND entries "    {\"${name}\", R\"SQL(${sql})SQL\"},\n")
endforeach()
file(CONFIGURE OUTPUT "${OUT}" @ONLY CONTENT [[// Generated from migrations/*.sql by EmbedMigrations.cmake. Do not edit.
#include "store/migrations.hpp"

namespace bernstein::store {

std::span<const Migration> migrations() {
  static constexpr Migration k_all[] = {
@entries@  };
  return k_all;
}

}  // namespace bernstein::store
]])
