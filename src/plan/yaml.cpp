#include "yaml.hpp"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>

#include "bernstein/base/text.hpp"
#include "bernstein/plan/plan.hpp"

namespace bernstein::plan {
namespace {

// yaml-cpp holds every token behind an open bracket in memory: 10 MB of "[" took 2.4 GB. Brackets in texts count too,
// so this is far above what any text has, and far below what hurts.
constexpr std::size_t k_open_brackets_max = 20'000;
// What a value costs beside its text, in YamlNode::bytes.
constexpr std::uint64_t k_value_bytes = 8;

const std::string k_too_deep = "is nested deeper than " + std::to_string(k_yaml_depth_max) + " levels; flatten it";

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Builds the tree from the parser's events. After a limit is broken it stops building and lets the rest pass by.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(YamlDocument& document) : document_(document) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (YamlNode* node = make(mark, anchor, YamlNode::Kind::null)) add(*node, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (stopped_) return;
    YamlNode* target = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
    if (target == nullptr || target->open) {
      fault(mark, "an alias stands inside the value that it names; write the value out");
      target = make(mark, 0, YamlNode::Kind::null);
    } else {
      expand(target->bytes, mark);
    }
    if (!stopped_ && target != nullptr) add(*target, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    bool plain = tag == "?" || tag.empty();
    bool null = plain && is_null_word(value);
    YamlNode* node = make(mark, anchor, null ? YamlNode::Kind::null : YamlNode::Kind::scalar);
    if (node == nullptr) return;
    node->plain = plain;
    node->text = value;
    node->bytes += value.size();
    // An escape such as "\0" brings in what the file itself may not have.
    if (value.find('\0') != std::string::npos || !is_valid_utf8(value)) {
      fault(mark, "a text has a NUL or is not UTF-8; remove the escape");
    }
    add(*node, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, anchor, YamlNode::Kind::list);
  }
  void OnSequenceEnd() override { finish(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, anchor, YamlNode::Kind::map);
  }
  void OnMapEnd() override { finish(); }

 private:
  // A list or map whose end has not been read. In a map, keys and values come in turns.
  struct Level {
    YamlNode* node = nullptr;
    int line = 0;                   // where it stands; an alias stands elsewhere than its node
    const YamlNode* key = nullptr;  // read, its value not yet
    int key_line = 0;
    std::map<std::string_view, int> keys;  // of a map: the lines of its keys; views into the texts of the key nodes
    std::vector<const YamlNode*> merges;
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }

  void fault(const YAML::Mark& mark, std::string message) { document_.faults.push_back({line_of(mark), message}); }

  void stop(const YAML::Mark& mark, std::string message) {
    fault(mark, std::move(message));
    stopped_ = true;
  }

  YamlNode* make(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    if (stopped_) return nullptr;
    if (document_.nodes.size() >= k_yaml_values_max) {
      stop(mark, "has more than " + std::to_string(k_yaml_values_max) + " values; split it");
      return nullptr;
    }
    YamlNode& node = document_.nodes.emplace_back();
    node.kind = kind;
    node.line = line_of(mark);
    node.bytes = k_value_bytes;
    if (anchor > 0) {
      if (anchors_.size() <= anchor) anchors_.resize(anchor + 1);
      anchors_[anchor] = &node;
    }
    return &node;
  }

  void expand(std::uint64_t bytes, const YAML::Mark& mark) {
    alias_bytes_ += bytes;  // cannot wrap: both are below 2^60, see add()
    if (alias_bytes_ > k_yaml_alias_bytes_max) {
      stop(mark, "its aliases stand for more than " + std::to_string(k_yaml_alias_bytes_max >> 20) +
                     " MB; write less by aliases");
    }
  }

  void start(const YAML::Mark& mark, YAML::anchor_t anchor, YamlNode::Kind kind) {
    YamlNode* node = make(mark, anchor, kind);
    if (node == nullptr) return;
    if (levels_.size() >= k_yaml_depth_max) return stop(mark, k_too_deep);
    node->open = true;
    levels_.push_back(Level{.node = node, .line = node->line});
  }

  void finish() {
    if (stopped_) return;
    Level level = std::move(levels_.back());
    levels_.pop_back();
    for (const YamlNode* source : level.merges) merge(level, *source);
    if (stopped_) return;
    level.node->open = false;
    YAML::Mark mark;
    mark.line = level.line - 1;
    add(*level.node, mark);
  }

  // A finished value goes where it belongs: into the list or map that is open, or to the top.
  void add(const YamlNode& node, const YAML::Mark& mark) {
    if (levels_.empty()) {
      document_.root = &node;
      return;
    }
    Level& level = levels_.back();
    level.node->bytes += node.bytes;  // aliases were counted in alias_bytes_ first, which bounds this sum
    if (level.node->kind == YamlNode::Kind::list) {
      level.node->items.push_back(&node);
    } else if (level.key == nullptr) {
      level.key = &node;
      level.key_line = line_of(mark);
    } else {
      add_entry(level, node);
      level.key = nullptr;
    }
  }

  void add_entry(Level& level, const YamlNode& value) {
    const YamlNode& key = *level.key;
    int line = level.key_line;
    if (key.kind == YamlNode::Kind::list || key.kind == YamlNode::Kind::map) {
      document_.faults.push_back({line, "a key is a list or a map; keys are words"});
      return;
    }
    if (key.plain && key.text == "<<") {
      add_merge(level, value, line);
      return;
    }
    auto [known, is_new] = level.keys.emplace(key.text, line);
    if (!is_new) {
      document_.faults.push_back({line, "key '" + key.text + "' stands twice, first at line " +
                                            std::to_string(known->second) + "; remove one"});
      return;
    }
    level.node->entries.push_back({key.text, line, &value});
  }

  void add_merge(Level& level, const YamlNode& value, int line) {
    bool is_list = value.kind == YamlNode::Kind::list;
    std::vector<const YamlNode*> sources = is_list ? value.items : std::vector<const YamlNode*>{&value};
    for (const YamlNode* source : sources) {
      if (source->kind == YamlNode::Kind::map) {
        level.merges.push_back(source);
      } else {
        document_.faults.push_back({line, "'<<' merges maps; give it an alias of a map, such as <<: *defaults"});
      }
    }
  }

  // Keys of its own win, then those of earlier sources. The bytes of the source were counted where it was aliased.
  void merge(Level& level, const YamlNode& source) {
    for (const YamlEntry& entry : source.entries) {
      if (level.keys.emplace(entry.key, entry.line).second) level.node->entries.push_back(entry);
    }
  }

  YamlDocument& document_;
  std::vector<Level> levels_;
  std::vector<YamlNode*> anchors_;  // by the parser's numbers, from 1
  std::uint64_t alias_bytes_ = 0;
  bool stopped_ = false;
};

int line_at(std::string_view text, std::size_t offset) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n'));
}

// What can be refused by looking at the bytes.
std::optional<Fault> byte_fault(std::string_view text) {
  if (text.size() > k_document_bytes_max) {
    return Fault{0, "is over " + std::to_string(k_document_bytes_max >> 20) + " MB; split it"};
  }
  if (std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Fault{line_at(text, nul), "has a NUL byte; save it as plain UTF-8 text"};
  }
  if (!is_valid_utf8(text)) {
    int line = 1;
    for (std::string_view part : split(text, '\n')) {
      if (!is_valid_utf8(part)) break;
      ++line;
    }
    return Fault{line, "is not UTF-8; save it as UTF-8"};
  }
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if ((c == ']' || c == '}') && open > 0) --open;
    if ((c == '[' || c == '{') && ++open > k_open_brackets_max) return Fault{line_at(text, i), k_too_deep};
  }
  return std::nullopt;
}

}  // namespace

YamlDocument parse_yaml(std::string_view text) {
  YamlDocument document;
  if (auto fault = byte_fault(text)) {
    document.faults.push_back(*fault);
    return document;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(document);
    if (parser.HandleNextDocument(builder) && document.faults.empty()) {
      YamlDocument second;
      Builder rest(second);
      if (parser.HandleNextDocument(rest)) {
        int line = second.root != nullptr ? second.root->line : 0;
        document.faults.push_back({line, "a second document starts here; keep one in a file"});
      }
    }
  } catch (const YAML::DeepRecursion& error) {
    // Our own limit is lower and has named its line already, unless keys are nested in keys.
    if (document.faults.empty()) document.faults.push_back({error.mark.line + 1, k_too_deep});
  } catch (const YAML::Exception& error) {
    int line = error.mark.is_null() ? 0 : error.mark.line + 1;
    document.faults.push_back({line, "YAML does not parse: " + error.msg + "; check quotes and indentation"});
  } catch (const std::exception& error) {
    document.faults.push_back({0, std::string("YAML does not parse: ") + error.what()});
  }
  return document;
}

}  // namespace bernstein::plan
