#include "bernstein/janitor/tests_weakened.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "bernstein/base/sha256.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein::janitor {
namespace {

// A piece of text that says something about a test wherever it stands in a line as a word of its own.
struct Marker {
  std::string_view text;
  bool of_many = false;        // it speaks of all tests of a class, a module or a suite
  std::string_view name = {};  // what people call it; `text` without one
};

struct Language {
  std::vector<std::string_view> extensions;
  std::vector<std::string_view> starts;       // of the name of a file with tests, without directories
  std::vector<std::string_view> ends;         // likewise, extension included or not
  std::vector<std::string_view> definitions;  // one for each test
  std::vector<Marker> skips;
  std::vector<Marker> focuses;      // because of which no others run
  std::string_view comment = "//";  // begins a line that says nothing
  bool anywhere = false;            // tests stand beside what they test
};

const std::vector<Language>& languages() {
  static const std::vector<Language> all{
      {.extensions = {".py"},
       .starts = {"test_"},
       .ends = {"_test.py", "/tests.py"},
       .definitions = {"def test"},
       .skips = {{"@pytest.mark.skipif"},
                 {"@pytest.mark.skip"},
                 {"@pytest.mark.xfail"},
                 {"@unittest.skipIf"},
                 {"@unittest.skipUnless"},
                 {"@unittest.skip"},
                 {"@unittest.expectedFailure"},
                 {"@skip"},
                 {"pytest.skip(", false, "pytest.skip"},
                 {"self.skipTest(", false, "self.skipTest"},
                 {"raise SkipTest"},
                 {"raise unittest.SkipTest"},
                 {"pytestmark = pytest.mark.skip", true, "pytestmark"},
                 {"pytestmark = [pytest.mark.skip", true, "pytestmark"}},
       .focuses = {},
       .comment = "#"},
      {.extensions = {".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts"},
       .starts = {},
       .ends = {".test", ".spec", "_test", "_spec"},
       .definitions = {"it(",       "it.each",    "it.only",         "it.skip",    "it.todo",      "it.concurrent",
                       "it.fails",  "it.failing", "test(",           "test.each",  "test.only",    "test.skip",
                       "test.todo", "test.fixme", "test.concurrent", "test.fails", "test.failing", "xit(",
                       "xtest(",    "fit(",       "Deno.test("},
       .skips = {{"it.skip"},
                 {"test.skip"},
                 {"xit(", false, "xit"},
                 {"xtest(", false, "xtest"},
                 {"it.todo"},
                 {"test.todo"},
                 {"test.fixme"},
                 {"it.failing"},
                 {"test.failing"},
                 {"it.fails"},
                 {"test.fails"},
                 {"describe.skip", true},
                 {"xdescribe(", true, "xdescribe"}},
       .focuses =
           {{"it.only"}, {"test.only"}, {"describe.only"}, {"fit(", false, "fit"}, {"fdescribe(", false, "fdescribe"}}},
      {.extensions = {".go"},
       .starts = {},
       .ends = {"_test.go"},
       .definitions = {"func Test", "func Fuzz", "func Example"},
       .skips = {{".Skip(", false, "Skip"}, {".Skipf(", false, "Skipf"}, {".SkipNow(", false, "SkipNow"}},
       .focuses = {}},
      {.extensions = {".rs"},
       .starts = {"test_"},
       .ends = {"_test.rs", "_tests.rs", "/tests.rs", "/test.rs"},
       .definitions = {"#[test]", "::test]", "::test(", "#[rstest", "#[test_case", "#[wasm_bindgen_test"},
       .skips = {{"#[ignore"}},
       .focuses = {},
       .anywhere = true},
      {.extensions = {".java", ".kt", ".groovy", ".scala"},
       .starts = {"Test"},
       .ends = {"Test", "Tests", "TestCase", "IT", "Spec"},
       .definitions = {"@Test", "@ParameterizedTest", "@RepeatedTest", "@TestFactory"},
       .skips = {{"@Disabled"}, {"@Ignore"}},
       .focuses = {}},
      {.extensions = {".cpp", ".cc", ".cxx", ".c", ".hpp", ".h"},
       .starts = {"test_"},
       .ends = {"_test", "_tests", "_unittest", "Test", "Tests"},
       .definitions = {"TEST(", "TEST_F(", "TEST_P(", "TYPED_TEST(", "TYPED_TEST_P(", "TEST_CASE(", "TEST_CASE_METHOD(",
                       "SCENARIO(", "BOOST_AUTO_TEST_CASE(", "BOOST_FIXTURE_TEST_CASE("},
       .skips = {{"DISABLED_"}, {"GTEST_SKIP"}, {"SKIP(", false, "SKIP"}},
       .focuses = {}},
      {.extensions = {".rb"},
       .starts = {"test_"},
       .ends = {"_test.rb", "_spec.rb"},
       .definitions = {"def test_", "it ", "it(", "specify ", "scenario ", "test \"", "test '", "xit ", "xit(", "fit "},
       .skips = {{"xit ", false, "xit"},
                 {"xit(", false, "xit"},
                 {"skip ", false, "skip"},
                 {"skip(", false, "skip"},
                 {"pending ", false, "pending"},
                 {"xdescribe ", true, "xdescribe"},
                 {"xcontext ", true, "xcontext"}},
       .focuses = {{"fit ", false, "fit"}, {"fdescribe ", false, "fdescribe"}, {"fcontext ", false, "fcontext"}},
       .comment = "#"},
      {.extensions = {".php"},
       .starts = {},
       .ends = {"Test.php", "_test.php"},
       .definitions = {"function test", "#[Test]", "it(", "test("},
       .skips = {{"markTestSkipped"}, {"markTestIncomplete"}, {"->skip(", false, "skip"}, {"->todo(", false, "todo"}},
       .focuses = {{"->only(", false, "only"}}},
      {.extensions = {".cs"},
       .starts = {},
       .ends = {"Test", "Tests"},
       .definitions = {"[Fact", "[Theory", "[Test]", "[TestMethod", "[TestCase"},
       .skips = {{"[Ignore"}, {"[Explicit"}, {"Skip =", false, "Skip"}, {"Skip=", false, "Skip"}},
       .focuses = {}}};
  return all;
}

constexpr std::string_view k_directories[] = {"test", "tests", "__tests__", "spec", "specs", "testing", "unittests"};

std::string_view name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

const Language* language_of(std::string_view path) {
  for (const Language& language : languages()) {
    for (const std::string_view extension : language.extensions) {
      if (path.ends_with(extension)) return &language;
    }
  }
  return nullptr;
}

bool is_called_a_test(const Language& language, std::string_view path) {
  const std::string_view name = name_of(path);
  const std::string rooted = "/" + std::string(name);
  const std::string_view stem = std::string_view(rooted).substr(0, rooted.rfind('.'));
  const auto ends_it = [&](std::string_view end) { return rooted.ends_with(end) || stem.ends_with(end); };
  return std::ranges::any_of(language.starts, [&](std::string_view start) { return name.starts_with(start); }) ||
         std::ranges::any_of(language.ends, ends_it);
}

bool lies_with_tests(std::string_view path) {
  const std::vector<std::string_view> parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end() - 1, [](std::string_view part) {
    return std::ranges::find(k_directories, part) != std::end(k_directories);
  });
}

bool is_word_byte(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_';
}

// As a word of its own: no letter before it, nor a dot, which would make it a method of something else. What takes its
// argument after a space is a word of many sentences too, so it has to begin the line.
bool stands_in(std::string_view line, std::string_view text) {
  if (text.ends_with(' ')) return line.starts_with(text);
  for (std::size_t at = line.find(text); at != std::string_view::npos; at = line.find(text, at + 1)) {
    if (at == 0 || !is_word_byte(text.front())) return true;
    const char before = line[at - 1];
    if (!is_word_byte(before) && before != '.' && before != '$') return true;
  }
  return false;
}

struct Counts {
  std::vector<std::string> definitions;  // the lines of them
  std::map<std::string_view, std::size_t> focuses;
  std::map<std::string_view, std::size_t> skips;  // by what people call the marker

  std::size_t skipped() const {
    std::size_t all = 0;
    for (const auto& [name, times] : skips) all += times;
    return all;
  }
};

// A line counts once for each kind of thing, so that `it.skip` is one test and one skip.
Counts count(const Language& language, std::string_view text) {
  Counts counts;
  bool in_comment = false;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    // Only at its start: "src/**/*.ts" is a pattern, and no comment.
    if (!in_comment && language.comment == "//" && line.starts_with("/*")) in_comment = true;
    if (in_comment) {
      const std::size_t end = line.find("*/");
      in_comment = end == std::string_view::npos;
      if (in_comment) continue;
      line = trim(line.substr(end + 2));
    }
    if (line.starts_with(language.comment)) continue;
    const auto stands = [&](std::string_view word) { return stands_in(line, word); };
    const auto marked = [&](const std::vector<Marker>& markers, std::map<std::string_view, std::size_t>& found) {
      const auto marker = std::ranges::find_if(markers, stands, &Marker::text);
      if (marker != markers.end()) ++found[marker->name.empty() ? marker->text : marker->name];
    };
    if (std::ranges::any_of(language.definitions, stands)) counts.definitions.emplace_back(line);
    marked(language.skips, counts.skips);
    marked(language.focuses, counts.focuses);
  }
  return counts;
}

// One changed file that may hold tests, before and after.
struct Looked {
  const ChangedPath* change = nullptr;
  const Language* language = nullptr;
  bool is_test = false;  // by its name; else it only may have some
  bool lies_with_tests = false;
  std::string digest;  // of a deleted or added one: its content
  Counts before;
  Counts after;
  std::vector<std::string> gone;  // definitions of which it has fewer
  bool received = false;          // definitions that are gone elsewhere
};

std::vector<std::string> without(std::vector<std::string> all, std::vector<std::string> others) {
  std::ranges::sort(all);
  std::ranges::sort(others);
  std::vector<std::string> left;
  std::ranges::set_difference(all, others, std::back_inserter(left));
  return left;
}

std::string tests_in_words(std::size_t tests) {
  return tests == 1 ? "1 test" : std::to_string(tests) + " tests";
}

class Look {
 public:
  Look(std::span<const ChangedPath> changes, const TextOf& before, const TextOf& after) {
    for (const ChangedPath& change : changes) look_at(change, before, after);
    match_moves();
  }

  std::vector<std::string> sentences() {
    for (const Looked& file : files_) {
      const std::string path = printable_utf8(file.change->path);
      if (file.change->change == ChangeKind::deleted) {
        tell_deleted(file, path);
        continue;
      }
      tell_skipped(file, path);
      tell_focused(file, path);
      tell_gone(file, path);
    }
    if (sentences_.size() > k_weakened_max) {
      const std::size_t rest = sentences_.size() - (k_weakened_max - 1);
      sentences_.resize(k_weakened_max - 1);
      sentences_.push_back("and does " + std::to_string(rest) + " more such things");
    }
    return std::move(sentences_);
  }

 private:
  using Definition = std::pair<const Language*, std::string>;  // languages are one list, so their order is its

  void look_at(const ChangedPath& change, const TextOf& before, const TextOf& after) {
    const Language* language = language_of(change.path);
    if (language == nullptr) return;
    const bool is_test = is_called_a_test(*language, change.path);
    if (!is_test && !language->anywhere && !lies_with_tests(change.path)) return;
    Looked file{
        .change = &change, .language = language, .is_test = is_test, .lies_with_tests = lies_with_tests(change.path)};
    if (change.change != ChangeKind::added) {
      const std::string text = read(before, change.path);
      file.before = count(*language, text);
      if (change.change == ChangeKind::deleted) file.digest = to_hex(sha256(text));
    }
    if (change.change != ChangeKind::deleted) {
      const std::string text = read(after, change.path);
      file.after = count(*language, text);
      if (change.change == ChangeKind::added && !text.empty()) added_.insert(to_hex(sha256(text)));
    }
    file.gone = without(file.before.definitions, file.after.definitions);
    files_.push_back(std::move(file));
  }

  std::string read(const TextOf& text_of, const std::string& path) {
    if (++read_ > k_test_files_read_max) return "";
    std::optional<std::string> text = text_of(path);
    return text && text->size() <= k_test_bytes_max ? *std::move(text) : "";
  }

  // What is gone here and new there was moved.
  void match_moves() {
    std::set<Definition> gone;
    std::map<Definition, std::size_t> come;
    for (const Looked& file : files_) {
      for (const std::string& line : file.gone) gone.emplace(file.language, line);
      for (const std::string& line : without(file.after.definitions, file.before.definitions))
        ++come[{file.language, line}];
      if (file.after.skipped() < file.before.skipped()) skips_gone_ += file.before.skipped() - file.after.skipped();
    }
    for (Looked& file : files_) {
      file.received = std::ranges::any_of(file.after.definitions, [&](const std::string& line) {
        return gone.contains({file.language, line});
      });
      std::erase_if(file.gone, [&](const std::string& line) {
        const auto found = come.find({file.language, line});
        return found != come.end() && found->second > 0 && found->second-- > 0;
      });
    }
  }

  void tell_deleted(const Looked& file, const std::string& path) {
    const bool had_tests = !file.before.definitions.empty();
    const bool is_test = file.is_test || (file.lies_with_tests && had_tests);
    const bool is_moved = had_tests ? file.gone.empty() : added_.contains(file.digest);
    if (is_moved) return;
    if (is_test) {
      sentences_.push_back("deletes " + path);
    } else if (had_tests) {
      sentences_.push_back("takes " + tests_in_words(file.gone.size()) + " out of " + path);
    }
  }

  void tell_skipped(const Looked& file, const std::string& path) {
    const bool is_new = file.change->change == ChangeKind::added;
    if (is_new && !file.received) return;  // more tests than there were, even if these are not run
    std::size_t more = file.after.skipped() - std::min(file.before.skipped(), file.after.skipped());
    if (is_new) {
      const std::size_t moved = std::min(more, skips_gone_);
      more -= moved;
      skips_gone_ -= moved;
    }
    if (more == 0) return;
    const auto grew = [&](const Marker& marker) {
      const std::string_view name = marker.name.empty() ? marker.text : marker.name;
      return times(file.after.skips, name) > times(file.before.skips, name);
    };
    const auto marker = std::ranges::find_if(file.language->skips, grew);
    if (marker == file.language->skips.end()) return;
    const std::string_view name = marker->name.empty() ? marker->text : marker->name;
    sentences_.push_back("skips " + (marker->of_many ? "tests" : tests_in_words(more)) + " in " + path + " (" +
                         std::string(name) + ")");
  }

  void tell_focused(const Looked& file, const std::string& path) {
    for (const auto& [name, number] : file.after.focuses) {
      if (number <= times(file.before.focuses, name)) continue;
      sentences_.push_back("has only some tests run in " + path + " (" + std::string(name) + ")");
      return;
    }
  }

  // A test that got another name is as good as it was: only fewer of them count.
  void tell_gone(const Looked& file, const std::string& path) {
    const std::size_t before = file.before.definitions.size();
    const std::size_t after = file.after.definitions.size();
    const std::size_t fewer = std::min(file.gone.size(), before - std::min(before, after));
    if (fewer > 0) sentences_.push_back("takes " + tests_in_words(fewer) + " out of " + path);
  }

  static std::size_t times(const std::map<std::string_view, std::size_t>& counts, std::string_view name) {
    const auto found = counts.find(name);
    return found == counts.end() ? 0 : found->second;
  }

  std::set<std::string> added_;  // digests of the content of new files
  std::vector<Looked> files_;
  std::size_t read_ = 0;
  std::vector<std::string> sentences_;
  std::size_t skips_gone_ = 0;
};

}  // namespace

bool is_test_file(std::string_view path) {
  const Language* language = language_of(path);
  return language != nullptr && (is_called_a_test(*language, path) || lies_with_tests(path));
}

std::vector<std::string> tests_weakened(std::span<const ChangedPath> changes, const TextOf& before,
                                        const TextOf& after) {
  return Look(changes, before, after).sentences();
}

}  // namespace bernstein::janitor
