#pragma once
// Takes secrets out of text, also out of a stream that comes in pieces: each becomes "[redacted NAME]".
//
//     Redactor redactor(Secrets{{"API_KEY", "sk-12345678"}});
//     redactor.redact("my key is sk-12345678!")          // "my key is [redacted API_KEY]!"
//
//     Redactor stream(secrets);
//     while (read(piece)) stream.feed(piece, out);       // what may be the beginning of a secret is held back
//     stream.finish(out);
//
// No byte that belongs to an occurrence of a secret comes out, whatever its bytes are, wherever the stream is split and
// however occurrences overlap; every other byte does, in order. What is held back is shorter than the longest secret.
// Time is linear in the text. A secret in another guise (base64, escaped, cut in two) is not found.
//
// After A. Aho, M. Corasick: Efficient string matching (1975).

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bernstein {

using Secrets = std::map<std::string, std::string>;  // name → value

class Redactor {
 public:
  // White space around a value is no part of it: a key that was read from a file often ends with a line break. An empty
  // value is no secret. Of two names with one value the first counts.
  explicit Redactor(const Secrets& secrets = {});

  void feed(std::string_view bytes, std::string& out);
  // What was held back. The next feed() begins a new text.
  void finish(std::string& out);

  // A text as a whole. Not between feed() and finish().
  std::string redact(std::string_view text);

 private:
  // A node stands for a beginning of secrets.
  struct Node {
    std::vector<std::pair<unsigned char, std::uint32_t>> next;
    std::uint32_t fallback = 0;  // the node of its longest proper end that is a beginning too
    std::size_t depth = 0;       // how many bytes it stands for
    std::size_t longest = 0;     // length of the longest secret that ends here, 0: none
    std::size_t name = 0;        // of that secret
  };
  // Bytes that are not to come out: occurrences that overlap, taken together.
  struct Region {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::size_t longest = 0;  // the occurrence that it is named after
    std::size_t name = 0;
  };

  std::uint32_t child(std::uint32_t node, unsigned char byte) const;  // 0: there is none
  void add(const std::string& value, std::size_t name);
  void link();
  void note(std::int64_t from, std::int64_t to, const Node& node);
  void let_out(std::int64_t to, std::string& out);

  std::vector<std::string> names_;
  std::vector<Node> nodes_{Node{}};
  std::array<std::uint32_t, 256> first_{};  // children of the root

  // Of the text so far; positions count from its beginning.
  std::uint32_t node_ = 0;
  std::string held_;       // from base_ on
  std::int64_t base_ = 0;  // all before it is out, or belongs to regions_.front()
  std::deque<Region> regions_;
};

}  // namespace bernstein
