#pragma once
// What known roles are asked to keep an eye on, in a sentence.

#include <string_view>

namespace bernstein::agent {

// "" for a role that is not known: any word may be a role.
std::string_view role_sentence(std::string_view role);

}  // namespace bernstein::agent
