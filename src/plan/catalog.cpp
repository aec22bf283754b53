#include "bernstein/plan/catalog.hpp"

#include <algorithm>

#include "agents.hpp"
#include "bernstein/base/check.hpp"
#include "bernstein/base/embedded.hpp"
#include "reader.hpp"
#include "yaml.hpp"

namespace bernstein::plan {

std::span<const EmbeddedText> catalog_files();  // generated from catalog/*.yaml

namespace {

std::vector<CatalogEntry> read_catalog() {
  std::vector<CatalogEntry> entries;
  for (const EmbeddedText& file : catalog_files()) {
    auto read = parse_catalog_entry(std::string(file.name), file.text);
    BERNSTEIN_CHECK(std::holds_alternative<CatalogEntry>(read), "every file of the catalog is sound");
    entries.push_back(std::get<CatalogEntry>(std::move(read)));
  }
  std::ranges::sort(entries, {}, [](const CatalogEntry& entry) { return entry.spec.name; });
  return entries;
}

}  // namespace

std::variant<CatalogEntry, Faults> parse_catalog_entry(const std::string& name, std::string_view text) {
  Report report("catalog/" + name + ".yaml");
  YamlDocument document = parse_yaml(text);
  for (Fault& fault : document.faults) report.fault(fault.line, std::move(fault.message));
  CatalogEntry entry;
  if (report.clean() && document.root != nullptr) entry = read_agent(name, *document.root, 1, nullptr, report);
  if (report.clean() && entry.facts.proof.date.empty()) report.fault(1, "has no proof; say how far it was proven");
  if (!report.clean()) return report.take_faults();
  return entry;
}

const std::vector<CatalogEntry>& catalog() {
  static const std::vector<CatalogEntry> entries = read_catalog();
  return entries;
}

const CatalogEntry* find_in_catalog(std::string_view name) {
  for (const CatalogEntry& entry : catalog()) {
    if (entry.spec.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace bernstein::plan
