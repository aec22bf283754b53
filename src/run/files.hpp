#pragma once
// What effects read and write beside their ports: logs, the files that agents are given, and outputs that were kept.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "bernstein/base/result.hpp"
#include "bernstein/port/blob_store.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::run {

// The end of a file; "" when it cannot be read, as a log that was never written.
std::string read_end(const std::string& path, std::size_t bytes_max);

// Makes its directory where there is none.
Status write_file(const std::string& path, const std::string& text);

// The agent of a route. It is one of the run's.
const AgentSpec& agent_of(const RunState& state, const std::string& name);

// What a failure leaves to read: label and output.
std::vector<std::pair<std::string, std::string>> kept_evidence(const AttemptFailed& failure, port::BlobStore& blobs);

}  // namespace bernstein::run
