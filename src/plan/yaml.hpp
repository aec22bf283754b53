#pragma once
// A YAML document as a tree of values with line numbers. yaml-cpp parses; nothing of it shows here.
//
//     YamlDocument document = parse_yaml(text);
//     if (document.faults.empty()) read(*document.root);
//
// Aliases share the node of their anchor and merge keys ("<<") are resolved, so the tree is a graph without cycles.
// What a hostile document could blow up is bounded: its size, its depth, its number of values, and what aliases expand
// to.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "bernstein/plan/faults.hpp"

namespace bernstein::plan {

inline constexpr std::size_t k_yaml_depth_max = 64;
inline constexpr std::size_t k_yaml_values_max = 2'000'000;
// What all aliases together may stand for, in bytes of the text they repeat.
inline constexpr std::uint64_t k_yaml_alias_bytes_max = 64 << 20;

struct YamlNode;

struct YamlEntry {
  std::string key;
  int line = 0;
  const YamlNode* value = nullptr;
};

struct YamlNode {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  bool plain = false;  // a scalar without quotes
  bool open = false;   // its end has not been read yet
  int line = 0;        // from 1
  std::string text;    // scalar
  std::vector<const YamlNode*> items;
  std::vector<YamlEntry> entries;  // in file order, merged ones last; keys are unique
  std::uint64_t bytes = 0;         // of text, with everything below
};

struct YamlDocument {
  std::deque<YamlNode> nodes;      // owns; addresses are stable
  const YamlNode* root = nullptr;  // nothing for a document without a value
  Faults faults;
};

YamlDocument parse_yaml(std::string_view text);

}  // namespace bernstein::plan
