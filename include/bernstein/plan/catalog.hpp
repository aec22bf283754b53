#pragma once
// The catalog: the agents that Bernstein knows, as data. Each is a file of catalog/, embedded when we are built, and is
// written with the keys that `agents:` of bernstein.yaml has (docs/config.md); what a person writes there about one of
// them replaces those keys and leaves the rest.
//
//     for (const plan::CatalogEntry& entry : plan::catalog()) entry.spec.name, entry.facts.install
//
// What a run records of an agent is its spec (event/spec.hpp); the facts are for finding it and for people.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bernstein/event/spec.hpp"
#include "bernstein/plan/faults.hpp"

namespace bernstein::plan {

// How far an entry was proven.
enum class ProofLevel {
  run,   // sessions were run with the real client
  help,  // its words stand in the client's own --help
  docs,  // it follows the client's documentation; nobody tried
  count_
};

}  // namespace bernstein::plan

namespace bernstein {
BERNSTEIN_ENUM_WORDS(plan::ProofLevel, "run", "help", "docs");
}  // namespace bernstein

namespace bernstein::plan {

struct Proof {
  ProofLevel level = ProofLevel::docs;
  std::string version;  // of the client; "" with docs
  std::string date;     // "2026-11-25"
  std::string source;   // docs: the page
  bool operator==(const Proof&) const = default;
};

// How its version is told, and which ones the entry was made for.
struct VersionRule {
  std::vector<std::string> command;  // argv; the first number with a dot in its output is the version
  std::string at_least;              // "2.1.0": older ones lack something; "" for any
  std::string below;                 // "3.0.0": newer ones were not seen; "" for any
  bool operator==(const VersionRule&) const = default;
};

// How to know whether somebody is logged in, without a question to the model: any one of these says so.
struct LoginRule {
  std::vector<std::string> env;      // one of these variables has a value; they are passed on to the agent
  std::string file;                  // "~/.codex/auth.json": a JSON file
  std::vector<std::string> keys;     // ... in which one of these JSON pointers leads to something
  std::vector<std::string> command;  // argv that exits with 0 when somebody is; run only where probes are asked for
  std::string fix;                   // what to do when nobody is
  bool none = false;                 // it needs no login
  bool operator==(const LoginRule&) const = default;
};

struct AgentFacts {
  std::string title;       // "Claude Code"; its name where it has none
  std::string install;     // a command, or a page
  std::uint32_t rank = 0;  // `cli: auto` prefers the lowest; 0: never chosen by itself
  Proof proof;
  VersionRule version;
  LoginRule login;
  bool operator==(const AgentFacts&) const = default;
};

struct CatalogEntry {
  AgentSpec spec;
  AgentFacts facts;
};

// By name. A fault in an embedded file ends the program: a test reads them all.
const std::vector<CatalogEntry>& catalog();
const CatalogEntry* find_in_catalog(std::string_view name);

// One file of catalog/; `name` is its name without ".yaml".
std::variant<CatalogEntry, Faults> parse_catalog_entry(const std::string& name, std::string_view text);

}  // namespace bernstein::plan
