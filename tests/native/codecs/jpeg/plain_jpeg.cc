#include "codecs/jpeg/plain_jpeg.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>

namespace pixpress {
namespace {

int ComponentsOf(J_COLOR_SPACE space) {
  if (space == JCS_GRAYSCALE) return 1;
  return space == JCS_CMYK || space == JCS_YCCK ? 4 : 3;
}

uint8_t Sample(uint32_t x, uint32_t y, int c) {
  return static_cast<uint8_t>(128 + 100 * std::sin(x * 0.13 + c) * std::cos(y * 0.09 - c));
}

J_COLOR_SPACE InputSpace(J_COLOR_SPACE stored) {
  if (stored == JCS_GRAYSCALE || stored == JCS_RGB) return stored;
  return ComponentsOf(stored) == 4 ? JCS_CMYK : JCS_RGB;
}

void SetUp(const JpegRecipe& recipe, jpeg_compress_struct* info) {
  info->image_width = recipe.width;
  info->image_height = recipe.height;
  info->input_components = ComponentsOf(recipe.stored);
  info->in_color_space = InputSpace(recipe.stored);
  jpeg_set_defaults(info);
  jpeg_set_colorspace(info, recipe.stored);
  jpeg_set_quality(info, recipe.quality, TRUE);
  for (int c = 0; c < info->num_components; ++c) {
    info->comp_info[c].h_samp_factor = recipe.sampling[c].h;
    info->comp_info[c].v_samp_factor = recipe.sampling[c].v;
  }
  info->restart_interval = recipe.restart_interval;
  info->arith_code = recipe.is_arithmetic ? TRUE : FALSE;
  info->optimize_coding = recipe.is_optimized ? TRUE : FALSE;
  if (!recipe.has_jfif) info->write_JFIF_header = FALSE;
  if (recipe.is_progressive) jpeg_simple_progression(info);
}

J_COLOR_SPACE PixelSpace(const jpeg_decompress_struct& info) {
  if (info.num_components == 1) return JCS_GRAYSCALE;
  return info.num_components == 4 ? JCS_CMYK : JCS_RGB;
}

PlainPlanes ReadPlanes(jpeg_decompress_struct* info) {
  PlainPlanes planes(info->num_components);
  const int mcu_rows = info->max_v_samp_factor * info->min_DCT_scaled_size;
  std::array<std::vector<uint8_t>, 3> band;
  std::array<std::array<JSAMPROW, 32>, 3> rows;
  std::array<JSAMPARRAY, 3> arrays = {rows[0].data(), rows[1].data(), rows[2].data()};
  while (info->output_scanline < info->output_height) {
    for (int c = 0; c < info->num_components; ++c) {
      const jpeg_component_info& component = info->comp_info[c];
      const size_t stride = (component.width_in_blocks + 4) * component.DCT_scaled_size;
      band[c].resize(stride * 32);
      for (size_t y = 0; y < 32; ++y) rows[c][y] = band[c].data() + y * stride;
    }
    jpeg_read_raw_data(info, arrays.data(), mcu_rows);
    for (int c = 0; c < info->num_components; ++c) {
      const jpeg_component_info& component = info->comp_info[c];
      const size_t whole = size_t{component.downsampled_width} * component.downsampled_height;
      for (int y = 0; y < component.v_samp_factor * component.DCT_scaled_size; ++y) {
        if (planes[c].size() == whole) break;
        planes[c].insert(planes[c].end(), rows[c][y], rows[c][y] + component.downsampled_width);
      }
    }
  }
  return planes;
}

// The rows of a row of MCUs from row `top` of the image on, padded to the right and below.
struct Band {
  Band(const jpeg_decompress_struct& info, const PlainPlanes& planes, JDIMENSION top) {
    for (int c = 0; c < info.num_components; ++c) {
      const jpeg_component_info& component = info.comp_info[c];
      const size_t width = component.downsampled_width, height = component.downsampled_height;
      const size_t first = size_t{top} / info.max_v_samp_factor * component.v_samp_factor;
      samples[c].resize((width + 64) * 32);
      arrays[c] = rows[c].data();
      for (size_t y = 0; y < 32; ++y) {
        const uint8_t* from = planes[c].data() + std::min(first + y, height - 1) * width;
        rows[c][y] = samples[c].data() + y * (width + 64);
        std::copy_n(from, width, rows[c][y]);
        std::fill_n(rows[c][y] + width, 64, from[width - 1]);
      }
    }
  }

  std::array<std::vector<uint8_t>, 3> samples;
  std::array<std::array<JSAMPROW, 32>, 3> rows;
  std::array<JSAMPARRAY, 3> arrays;
};

PlainPlanes ReadPixels(jpeg_decompress_struct* info) {
  PlainPlanes planes(1);
  std::vector<uint8_t> row(size_t{info->output_width} * info->output_components);
  while (info->output_scanline < info->output_height) {
    JSAMPROW out = row.data();
    jpeg_read_scanlines(info, &out, 1);
    planes[0].insert(planes[0].end(), row.begin(), row.end());
  }
  return planes;
}

}  // namespace

std::vector<uint8_t> MakeJpeg(const JpegRecipe& recipe) {
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  SetUp(recipe, &info);
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> row(size_t{recipe.width} * info.input_components);
  std::minstd_rand random(1);
  for (uint32_t y = 0; y < recipe.height; ++y) {
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = Sample(i / info.input_components, y, i % info.input_components);
      if (recipe.noise > 0) row[i] = static_cast<uint8_t>(row[i] + random() % recipe.noise);
    }
    JSAMPROW in = row.data();
    jpeg_write_scanlines(&info, &in, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::vector<uint8_t> jpeg(buffer, buffer + size);
  std::free(buffer);
  return jpeg;
}

PlainPlanes PlainDecode(Bytes jpeg, bool is_planar, unsigned scale_denominator) {
  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, jpeg.data(), jpeg.size());
  jpeg_read_header(&info, TRUE);
  info.scale_num = 1;
  info.scale_denom = scale_denominator;
  info.raw_data_out = is_planar ? TRUE : FALSE;
  info.out_color_space = is_planar ? info.jpeg_color_space : PixelSpace(info);
  jpeg_start_decompress(&info);
  PlainPlanes planes = is_planar ? ReadPlanes(&info) : ReadPixels(&info);
  if (info.out_color_space == JCS_CMYK && info.saw_Adobe_marker) {
    for (uint8_t& sample : planes[0]) sample = 255 - sample;
  }
  jpeg_destroy_decompress(&info);
  return planes;
}

std::vector<int> PlainCoefficients(Bytes jpeg) {
  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, jpeg.data(), jpeg.size());
  jpeg_read_header(&info, TRUE);
  jvirt_barray_ptr* arrays = jpeg_read_coefficients(&info);
  std::vector<int> all;
  for (int c = 0; c < info.num_components; ++c) {
    const jpeg_component_info& component = info.comp_info[c];
    all.insert(all.end(), component.quant_table->quantval, component.quant_table->quantval + 64);
    for (JDIMENSION y = 0; y < component.height_in_blocks; ++y) {
      JBLOCKARRAY row = info.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&info),
                                                     arrays[c], y, 1, FALSE);
      all.insert(all.end(), row[0][0], row[0][component.width_in_blocks]);
    }
  }
  jpeg_destroy_decompress(&info);
  return all;
}

std::vector<uint8_t> PlainReencode(Bytes jpeg, Bytes like) {
  const PlainPlanes planes = PlainDecode(jpeg, true, 1);
  jpeg_decompress_struct model = {};
  jpeg_compress_struct info = {};
  jpeg_error_mgr errors;
  model.err = info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&model);
  jpeg_mem_src(&model, like.data(), like.size());
  jpeg_read_header(&model, TRUE);
  model.raw_data_out = TRUE;
  jpeg_start_decompress(&model);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  jpeg_copy_critical_parameters(&model, &info);
  info.raw_data_in = TRUE;
  jpeg_start_compress(&info, TRUE);
  const JDIMENSION mcu_rows = info.max_v_samp_factor * 8;
  for (JDIMENSION top = 0; top < info.image_height; top += mcu_rows) {
    Band band(model, planes, top);
    jpeg_write_raw_data(&info, band.arrays.data(), mcu_rows);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  jpeg_destroy_decompress(&model);
  std::vector<uint8_t> made(buffer, buffer + size);
  std::free(buffer);
  return made;
}

std::vector<uint8_t> WithSegment(Bytes jpeg, uint8_t marker, Bytes payload, size_t offset) {
  std::vector<uint8_t> made(jpeg.begin(), jpeg.begin() + offset);
  const size_t length = payload.size() + 2;
  for (const size_t byte : {size_t{0xFF}, size_t{marker}, length >> 8, length & 255}) {
    made.push_back(static_cast<uint8_t>(byte));
  }
  made.insert(made.end(), payload.begin(), payload.end());
  made.insert(made.end(), jpeg.begin() + offset, jpeg.end());
  return made;
}

std::vector<JpegRecipe> EverySampling(JpegRecipe recipe) {
  std::vector<JpegRecipe> recipes;
  for (const Sampling& luma : {Sampling{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {1, 4}, {4, 2}}) {
    recipe.sampling = {luma};
    recipes.push_back(recipe);
  }
  recipe.sampling = {Sampling{2, 2}, {2, 1}, {2, 1}};
  recipes.push_back(recipe);
  recipe.sampling = {Sampling{1, 1}, {2, 2}, {1, 1}};
  recipes.push_back(recipe);
  recipe.stored = JCS_GRAYSCALE;
  for (const Sampling& luma : {Sampling{1, 1}, {2, 2}}) {
    recipe.sampling = {luma};
    recipes.push_back(recipe);
  }
  return recipes;
}

}  // namespace pixpress
