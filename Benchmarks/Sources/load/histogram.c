// SPDX-FileCopyrightText: the ipc-gateway authors
// SPDX-License-Identifier: Apache-2.0

#include "load.h"

// Values below 2,048 have a bucket each; above, each power of two has 1,024.
enum { DIGITS = 11 };

static size_t place(uint64_t value) {
    int bits = value < (1u << DIGITS) ? DIGITS : 64 - __builtin_clzll(value);
    int shift = bits - DIGITS;
    size_t index = ((size_t)shift << (DIGITS - 1)) + (size_t)(value >> shift);
    return index < HISTOGRAM_BUCKETS ? index : HISTOGRAM_BUCKETS - 1;
}

static uint64_t highest(size_t index) {
    if (index < (1u << DIGITS)) return index;
    int shift = (int)(index >> (DIGITS - 1)) - 1;
    uint64_t value = index - ((uint64_t)shift << (DIGITS - 1));
    return ((value + 1) << shift) - 1;
}

void histogram_add(Histogram *histogram, uint64_t value) {
    histogram->counts[place(value)]++;
    histogram->total++;
    if (value > histogram->maximum) histogram->maximum = value;
}

uint64_t histogram_at(const Histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)(share * (double)histogram->total + 0.5), seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->counts[i];
        if (seen >= wanted && seen > 0) return highest(i) < histogram->maximum ? highest(i) : histogram->maximum;
    }
    return histogram->maximum;
}
