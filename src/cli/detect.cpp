#include "detect.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "bernstein/base/path.hpp"
#include "bernstein/base/text.hpp"

namespace bernstein::cli {
namespace {

class Detector {
 public:
  Detector(const std::vector<std::string>& paths, const std::function<std::string(const std::string&)>& read)
      : paths_(paths.begin(), paths.end()), read_(read) {}

  Detected result() {
    if (has("CMakeLists.txt")) cmake();
    if (has("Cargo.toml")) found("cargo", {{"build", "cargo build"}, {"tests", "cargo test"}});
    if (has("go.mod")) found("go", {{"build", "go build ./..."}, {"tests", "go test ./..."}});
    if (has("package.json")) npm();
    if (is_python()) python();
    if (has("pom.xml")) found("maven", {{"tests", "mvn -q -B verify"}});
    if (has("build.gradle") || has("build.gradle.kts")) {
      found("gradle", {{"tests", (has("gradlew") ? "./gradlew" : "gradle") + std::string(" build")}});
    }
    if (detected_.kinds.empty() && has("Makefile")) make();
    return std::move(detected_);
  }

 private:
  bool has(const std::string& path) const { return paths_.contains(path); }

  bool has_any(std::string_view pattern) const {
    for (const std::string& path : paths_) {
      if (matches(pattern, path)) return true;
    }
    return false;
  }

  // A second language's gates get its name behind theirs.
  void found(const std::string& kind, const std::vector<Proposal>& gates) {
    const bool first = detected_.kinds.empty();
    detected_.kinds.push_back(kind);
    for (const Proposal& gate : gates)
      detected_.gates.push_back({first ? gate.name : gate.name + "-" + kind, gate.command});
  }

  void cmake() {
    std::vector<Proposal> gates{{"build", "cmake -S . -B build && cmake --build build"}};
    const std::string text = read_("CMakeLists.txt");
    if (text.find("enable_testing") != std::string::npos || text.find("CTest") != std::string::npos) {
      gates.push_back({"tests", "ctest --test-dir build --output-on-failure"});
    }
    found("cmake", gates);
  }

  void npm() {
    const nlohmann::json package = nlohmann::json::parse(read_("package.json"), nullptr, false);
    std::vector<Proposal> gates;
    if (package.is_object() && package.contains("scripts") && package["scripts"].is_object()) {
      const nlohmann::json& scripts = package["scripts"];
      const auto script = [&](const char* name) {
        return scripts.contains(name) && scripts[name].is_string() ? scripts[name].get<std::string>() : "";
      };
      if (!script("build").empty()) gates.push_back({"build", "npm run build"});
      // What `npm init` writes is no test.
      if (!script("test").empty() && script("test").find("no test specified") == std::string::npos) {
        gates.push_back({"tests", "npm test"});
      }
    }
    detected_.symlinks.push_back("node_modules");
    found("npm", gates);
  }

  bool is_python() const {
    return has("pyproject.toml") || has("setup.py") || has("setup.cfg") || has("requirements.txt") ||
           has("pytest.ini") || has_any("*.py");
  }

  void python() {
    bool pytest = has("pytest.ini") || has_any("**/conftest.py");
    for (const char* file : {"pyproject.toml", "setup.cfg", "tox.ini", "requirements.txt", "requirements-dev.txt"}) {
      pytest = pytest || read_(file).find("pytest") != std::string::npos;
    }
    const bool tests = has_any("**/test_*.py") || has_any("**/*_test.py");
    std::vector<Proposal> gates;
    if (pytest) {
      gates.push_back({"tests", "python3 -m pytest -q"});
    } else if (tests) {
      gates.push_back(
          {"tests", has_any("tests/test_*.py") ? "python3 -m unittest discover -s tests" : "python3 -m unittest"});
    } else {
      gates.push_back({"compiles", "python3 -m compileall -q ."});
    }
    detected_.symlinks.push_back(".venv");
    found("python", gates);
  }

  void make() {
    std::vector<Proposal> gates{{"build", "make"}};
    const std::string text = read_("Makefile");  // split() looks into it
    for (std::string_view line : split(text, '\n')) {
      if (line.starts_with("test:")) {
        gates.push_back({"tests", "make test"});
        break;
      }
      if (line.starts_with("check:")) {
        gates.push_back({"tests", "make check"});
        break;
      }
    }
    found("make", gates);
  }

  std::set<std::string> paths_;
  const std::function<std::string(const std::string&)>& read_;
  Detected detected_;
};

}  // namespace

Detected detect(const std::vector<std::string>& paths, const std::function<std::string(const std::string&)>& read) {
  return Detector(paths, read).result();
}

}  // namespace bernstein::cli
