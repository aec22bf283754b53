#include "bernstein/base/redact.hpp"

#include <algorithm>

#include "bernstein/base/text.hpp"

namespace bernstein {

Redactor::Redactor(const Secrets& secrets) {
  for (const auto& [name, value] : secrets) {
    const std::string bare(trim(value));
    if (bare.empty()) continue;
    names_.push_back(name);
    add(bare, names_.size() - 1);
  }
  link();
}

std::uint32_t Redactor::child(std::uint32_t node, unsigned char byte) const {
  if (node == 0) return first_[byte];
  for (const auto& [with, to] : nodes_[node].next) {
    if (with == byte) return to;
  }
  return 0;
}

void Redactor::add(const std::string& value, std::size_t name) {
  std::uint32_t node = 0;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t next = child(node, byte);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      nodes_.push_back(Node{.next = {}, .depth = nodes_[node].depth + 1});
      nodes_[node].next.emplace_back(byte, next);
      if (node == 0) first_[byte] = next;
    }
    node = next;
  }
  if (nodes_[node].longest > 0) return;
  nodes_[node].longest = value.size();
  nodes_[node].name = name;
}

// Level by level, so that what a node falls back to is linked before it.
void Redactor::link() {
  std::deque<std::uint32_t> queue{0};
  while (!queue.empty()) {
    const std::uint32_t parent = queue.front();
    queue.pop_front();
    for (const auto& [byte, node] : nodes_[parent].next) {
      queue.push_back(node);
      if (parent == 0) continue;
      std::uint32_t fallback = nodes_[parent].fallback;
      while (fallback != 0 && child(fallback, byte) == 0) fallback = nodes_[fallback].fallback;
      nodes_[node].fallback = child(fallback, byte);
      if (nodes_[node].longest > 0) continue;
      nodes_[node].longest = nodes_[nodes_[node].fallback].longest;
      nodes_[node].name = nodes_[nodes_[node].fallback].name;
    }
  }
}

void Redactor::feed(std::string_view bytes, std::string& out) {
  if (nodes_.size() == 1) {
    out += bytes;
    return;
  }
  std::int64_t at = base_ + static_cast<std::int64_t>(held_.size());
  held_ += bytes;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t next = child(node_, byte);
    while (next == 0 && node_ != 0) {
      node_ = nodes_[node_].fallback;
      next = child(node_, byte);
    }
    node_ = next;
    ++at;
    const Node& node = nodes_[node_];
    if (node.longest > 0) note(at - static_cast<std::int64_t>(node.longest), at, node);
  }
  let_out(at - static_cast<std::int64_t>(nodes_[node_].depth), out);
}

// Neighbours that only touch stay two.
void Redactor::note(std::int64_t from, std::int64_t to, const Node& node) {
  Region region{from, to, node.longest, node.name};
  while (!regions_.empty() && regions_.back().to > region.from) {
    const Region& last = regions_.back();
    region.from = std::min(region.from, last.from);
    if (last.longest >= region.longest) region.longest = last.longest, region.name = last.name;
    regions_.pop_back();
  }
  regions_.push_back(region);
}

// No occurrence that is still to be found begins before `to`: all before that is decided. A region across it may still
// grow, and of its bytes none is needed.
void Redactor::let_out(std::int64_t to, std::string& out) {
  const auto plain = [&](std::int64_t from, std::int64_t until) {
    if (until > from) out.append(held_, static_cast<std::size_t>(from - base_), static_cast<std::size_t>(until - from));
  };
  std::int64_t from = base_;
  while (!regions_.empty() && regions_.front().from < to) {
    const Region& region = regions_.front();
    plain(from, region.from);
    if (region.to > to) {
      from = to;
      break;
    }
    out += "[redacted " + names_[region.name] + "]";
    from = std::max(from, region.to);
    regions_.pop_front();
  }
  plain(from, to);
  held_.erase(0, static_cast<std::size_t>(to - base_));
  base_ = to;
}

void Redactor::finish(std::string& out) {
  const std::int64_t end = base_ + static_cast<std::int64_t>(held_.size());
  let_out(end, out);
  node_ = 0;
  base_ = 0;
  held_.clear();
}

std::string Redactor::redact(std::string_view text) {
  std::string out;
  feed(text, out);
  finish(out);
  return out;
}

}  // namespace bernstein
