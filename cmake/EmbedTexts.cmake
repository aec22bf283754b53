# Writes a C++ file with a function that gives the text of every file of a directory, in the order of their names
# (include/bernstein/base/embedded.hpp). bernstein_embed() in Rooms.cmake calls it.
#   cmake -DIN=<directory> -DEXTENSION=sql -DNAMESPACE=bernstein::store -DFUNCTION=migrations -DOUT=<file.cpp> -P EmbedTexts.cmake
file(GLOB files "${IN}/*.${EXTENSION}")
list(SORT files COMPARE NATURAL)
get_filename_component(directory "${IN}" NAME)
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  file(READ "${file}" text)
  string(FIND "${text}" ")TEXT\"" terminator)
  if(NOT terminator EQUAL -1)
    message(FATAL_ERROR "${file}: ')TEXT\"' would end the C++ literal that holds the text; write it differently")
  endif()
  string(APPEND entries "    {\"${name}\", R\"TEXT(${text})TEXT\"},\n")
endforeach()
file(CONFIGURE OUTPUT "${OUT}" @ONLY CONTENT [[// Generated from @directory@/*.@EXTENSION@ by EmbedTexts.cmake. Do not edit.
#include "bernstein/base/embedded.hpp"

namespace @NAMESPACE@ {

std::span<const EmbeddedText> @FUNCTION@();

std::span<const EmbeddedText> @FUNCTION@() {
  static constexpr EmbeddedText k_all[] = {
@entries@  };
  return k_all;
}

}  // namespace @NAMESPACE@
]])
