#pragma once
// Files that are part of the program: cmake/EmbedTexts.cmake writes a function for each directory of them.
//
//     for (const EmbeddedText& file : store::migrations()) file.name, file.text

#include <span>
#include <string_view>

namespace bernstein {

struct EmbeddedText {
  std::string_view name;  // of the file, without its extension
  std::string_view text;
};

}  // namespace bernstein
