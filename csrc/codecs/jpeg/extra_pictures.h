#pragma once
// What a JPEG file may hold after its main picture: more pictures (MPO), or the gain map of an HDR
// photograph (Ultra HDR, Apple). Untrusted input: bounds-checked, and damage means "nothing".

#include <string>

#include "codecs/jpeg/markers.h"

namespace pixpress {

// The segment that says where the other pictures are (MPF); nothing once these are gone.
bool IsPictureIndex(const JpegSegment& segment);

// The subject of a sentence such as "the HDR gain map was"; empty if there is nothing.
std::string DescribeExtraPictures(Bytes encoded);

}  // namespace pixpress
