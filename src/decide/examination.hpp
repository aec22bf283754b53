#pragma once
// One examination, of a candidate or of the target itself, from its first check to what the checks say: what is known
// is used again, what was interrupted starts afresh, what is red is put in doubt once where there is reason to.

#include <string>
#include <vector>

#include "bernstein/state/chain.hpp"

namespace bernstein {

// The next draft of an examination that is under way; none while it waits, when it has its verdict, or when it is red
// and somebody has to be found who is to blame.
std::vector<Draft> go_on_checking(const RunState& state, const Link& link);
std::vector<Draft> go_on_checking_target(const RunState& state);

// "check 'tests' failed: exit 1". Requires that one has.
std::string failure_of(const Examination& examination);

// "; it deletes tests/test_a.py": what the attempt did to tests, for a verdict; "" when it did nothing.
std::string weakened_in_words(const Attempt& attempt);

}  // namespace bernstein
