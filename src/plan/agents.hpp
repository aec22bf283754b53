#pragma once
// `agents:` of bernstein.yaml, and the files of the catalog: how to call a program that works on tasks.

#include <map>
#include <string>
#include <vector>

#include "bernstein/plan/catalog.hpp"
#include "reader.hpp"

namespace bernstein::plan {

// In file order. What has a fault is left out. An agent of the catalog keeps what is not said of it anew.
std::vector<CatalogEntry> read_agents(const YamlNode& map, Report& report);

// `prices:`: what a million tokens of a model cost, by the model's name, {input: 3, cached: 0.30, output: 15} in
// dollars.
std::map<std::string, TokenPrice> read_prices(const YamlNode& map, Report& report);

// One agent; `base` is what it has where `node` says nothing, if there is something.
CatalogEntry read_agent(const std::string& name, const YamlNode& node, int line, const CatalogEntry* base,
                        Report& report);

}  // namespace bernstein::plan
