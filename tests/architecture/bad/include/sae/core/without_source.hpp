// expect: no source includes it first, and it is not among headers_alone
#pragma once
