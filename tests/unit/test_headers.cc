// Nothing: the target that precompiles <catch2/catch.hpp> for all tests needs a source.
