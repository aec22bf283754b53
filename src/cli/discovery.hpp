#pragma once
// Which agents are on this machine: a fact for each, looked up and not guessed.
//
//     std::vector<FoundAgent> found = discover(context, entries, {.probe = false});
//
// The program is looked for in PATH; its version is what it prints, asked for all agents side by side and remembered
// in $XDG_CACHE_HOME/bernstein/versions.json by path, size and time of the program. A login is a variable that has a
// value, or a key in the client's own file; with `probe` also the client's own word. Nobody asks a model.

#include <optional>
#include <string>
#include <vector>

#include "bernstein/cli/context.hpp"
#include "bernstein/plan/catalog.hpp"
#include "bernstein/plan/config.hpp"

namespace bernstein::cli {

enum class Login { yes, no, unknown, count_ };

}  // namespace bernstein::cli

namespace bernstein {
BERNSTEIN_ENUM_WORDS(cli::Login, "yes", "no", "unknown");
}  // namespace bernstein

namespace bernstein::cli {

struct FoundAgent {
  const plan::CatalogEntry* entry = nullptr;
  std::string program;      // absolute; "" when it is not installed
  std::string version;      // "2.1.330"; "" when it is not installed, or did not say in time
  std::string version_why;  // why it does not suit the entry: "older than 2.1.0"; "" when it does
  Login login = Login::unknown;
  std::string login_fact;  // "ANTHROPIC_API_KEY is set"
};

// The catalog with what bernstein.yaml adds to it and says anew; by name.
std::vector<plan::CatalogEntry> all_agents(const plan::Config& config);

struct DiscoverOptions {
  std::string directory;  // what relative programs are looked up in
  bool probe = false;     // ask the client itself whether somebody is logged in
};

// One for each entry, in their order; the entries must outlive them.
std::vector<FoundAgent> discover(const Context& context, const std::vector<plan::CatalogEntry>& entries,
                                 const DiscoverOptions& options);

// Whether one version comes before another: numbers between dots.
bool is_older(const std::string& version, const std::string& than);
// The first number with a dot in a text: "codex-cli 0.169.0" → "0.169.0"; "" without one.
std::string version_in(std::string_view text);

}  // namespace bernstein::cli
