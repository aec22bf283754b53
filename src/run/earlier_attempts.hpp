#pragma once

#include <vector>

#include "bernstein/port/blob_store.hpp"
#include "bernstein/state/earlier_attempt.hpp"
#include "bernstein/state/run_state.hpp"

namespace bernstein::run {

// Of a task, those that failed, oldest first, with the outputs that were kept of them.
std::vector<EarlierAttempt> earlier_attempts(const Task& task, port::BlobStore& blobs);

}  // namespace bernstein::run
