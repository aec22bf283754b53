#pragma once
// PathTrie: who holds which part of the tree. Finds the holders whose patterns may overlap a path or pattern without
// comparing it with all of them.
//
//     PathTrie trie;
//     trie.insert("src/limit/", 4);
//     trie.overlapping("src/limit/a.cpp")     {4}
//     trie.overlapping("src/**/*.cpp")        {4}   (what may match is held to match)
//     trie.owners("src/limit/a.cpp")          {4}   (of one file: exact, globs included)
//
// Patterns are those of base/path.hpp, normalised. A pattern is filed under its parts before the first wildcard, so a
// look-up walks down the parts of the question and then, for a directory or a glob, through what lies below.
// Cost: parts of the pattern + number of patterns filed on that way and below it.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bernstein {

class PathTrie {
 public:
  using Holder = std::uint32_t;

  // The same pattern may be held by several holders; inserting the same pair twice is the same as once.
  void insert(std::string_view pattern, Holder holder);
  void erase(std::string_view pattern, Holder holder);
  // Holders of a pattern that may_overlap() the given one, ascending.
  std::set<Holder> overlapping(std::string_view pattern) const;
  // Holders of a pattern that covers this one file, ascending; and of patterns below it, should it take the place of a
  // directory.
  std::set<Holder> owners(std::string_view path) const;

 private:
  struct Node {
    std::set<std::pair<std::string, Holder>> held;  // whole patterns whose literal parts end here
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
  };
  // Adds the holders for whose pattern `touches` says true, on the way down `parts` and then below their end.
  template <class Touches>
  std::set<Holder> walk(const std::vector<std::string_view>& parts, const Touches& touches) const;
  template <class Touches>
  static void collect(const Node& node, const Touches& touches, std::set<Holder>& found);

  Node root_;
};

}  // namespace bernstein
