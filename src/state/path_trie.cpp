#include "bernstein/state/path_trie.hpp"

#include <vector>

#include "bernstein/base/path.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein {
namespace {

// The parts of a pattern before the first one with a wildcard. "src/limit/" and "src/limit" give the same parts.
std::vector<std::string_view> literal_parts(std::string_view pattern) {
  std::vector<std::string_view> parts;
  for (std::string_view part : split(pattern, '/')) {
    if (part.empty()) continue;
    if (is_glob(part)) break;
    parts.push_back(part);
  }
  return parts;
}

}  // namespace

void PathTrie::insert(std::string_view pattern, Holder holder) {
  Node* node = &root_;
  for (std::string_view part : literal_parts(pattern)) {
    auto child = node->children.find(part);
    if (child == node->children.end()) {
      child = node->children.emplace(std::string(part), std::make_unique<Node>()).first;
    }
    node = child->second.get();
  }
  node->held.insert({std::string(pattern), holder});
}

void PathTrie::erase(std::string_view pattern, Holder holder) {
  std::vector<std::pair<Node*, std::string_view>> way;  // each node with the part that leads on from it
  Node* node = &root_;
  for (std::string_view part : literal_parts(pattern)) {
    auto child = node->children.find(part);
    if (child == node->children.end()) return;
    way.push_back({node, part});
    node = child->second.get();
  }
  node->held.erase({std::string(pattern), holder});
  while (!way.empty() && node->held.empty() && node->children.empty()) {
    auto [parent, part] = way.back();
    way.pop_back();
    parent->children.erase(parent->children.find(part));
    node = parent;
  }
}

std::set<PathTrie::Holder> PathTrie::overlapping(std::string_view pattern) const {
  return walk(literal_parts(pattern), [&](std::string_view held) { return may_overlap(held, pattern); });
}

std::set<PathTrie::Holder> PathTrie::owners(std::string_view path) const {
  std::vector<std::string_view> parts = split(path, '/');
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  // A pattern that is filed below the path starts with it, so it is spelled longer.
  return walk(parts, [&](std::string_view held) {
    return matches(held, path) || (held.size() > path.size() && held.starts_with(path) && held[path.size()] == '/');
  });
}

template <class Touches>
std::set<PathTrie::Holder> PathTrie::walk(const std::vector<std::string_view>& parts, const Touches& touches) const {
  std::set<Holder> found;
  const Node* node = &root_;
  for (std::string_view part : parts) {
    for (const auto& [held, holder] : node->held) {
      if (touches(held)) found.insert(holder);
    }
    auto child = node->children.find(part);
    if (child == node->children.end()) return found;
    node = child->second.get();
  }
  collect(*node, touches, found);
  return found;
}

template <class Touches>
void PathTrie::collect(const Node& node, const Touches& touches, std::set<Holder>& found) {
  for (const auto& [held, holder] : node.held) {
    if (!found.contains(holder) && touches(held)) found.insert(holder);
  }
  for (const auto& [part, child] : node.children) collect(*child, touches, found);
}

}  // namespace bernstein
