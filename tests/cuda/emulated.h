// CUDA on a processor without a card: every thread of a launch is a thread here, blocks and clusters
// meet at barriers, and shared memory is an array a block. Slow and faithful in order, not in speed.
#pragma once
#define ACCRUE_EMULATED
#include <algorithm>
#include <atomic>
#include <barrier>
#include <bit>
#include <cmath>
#include <functional>
#include <memory>
#include <thread>
#include <vector>
#define __device__
#define __host__
#define __global__
#define __launch_bounds__(...)
using std::max;
using std::min;

struct float2 {
    float x, y;
};
struct float4 {
    float x, y, z, w;
};
struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
inline thread_local dim3 threadIdx, blockIdx;
inline dim3 blockDim, gridDim;

// 32 threads that multiply together: what each holds, and where they meet.
struct Together {
    const void *a[32], *b[32];
    std::barrier<> meeting{32};
};
struct Block {
    std::vector<float> memory;
    std::unique_ptr<std::barrier<>> meeting;
    std::vector<std::unique_ptr<Together>> warps;
};
inline std::vector<Block> blocks;
inline std::vector<std::unique_ptr<std::barrier<>>> clusters;
inline unsigned cluster_size = 1;
inline thread_local unsigned block_number;

inline void SYNC_BLOCK() { blocks[block_number].meeting->arrive_and_wait(); }
#define SHARED_MEMORY(name) float *name = blocks[block_number].memory.data()
inline float *of_block(float *address, int rank) {
    unsigned first = block_number / cluster_size * cluster_size;
    return blocks[first + rank].memory.data() + (address - blocks[block_number].memory.data());
}
inline void arrive_cluster() {}
inline void wait_cluster() { clusters[block_number / cluster_size]->arrive_and_wait(); }
inline float4 fresh(const float *address) { return *(const float4 *)address; }
inline void arrive_global(unsigned *arrivals) {
    SYNC_BLOCK();
    if (threadIdx.x == 0) std::atomic_ref<unsigned>(*arrivals).fetch_add(1);
}
inline void wait_global(unsigned *arrivals, unsigned expected) {
    if (threadIdx.x == 0) {
        while (std::atomic_ref<unsigned>(*arrivals).load() < expected) std::this_thread::yield();
    }
    SYNC_BLOCK();
}

inline float exp2_of(float x) { return std::exp2(x); }
inline float one_over(float x) { return 1.0f / x; }

inline unsigned bits_of(float x) { return std::bit_cast<unsigned>(x); }
inline float to_tf32(float x) { return std::bit_cast<float>((bits_of(x) + 0x1000u) & ~0x1fffu); }
inline float to_bf16(float x) {
    unsigned y = bits_of(x);
    return std::bit_cast<float>((y + 0x7fffu + (y >> 16 & 1u)) & ~0xffffu);
}
inline unsigned pair_of(float low, float high) { return bits_of(low) >> 16 | (bits_of(high) & 0xffff0000u); }
// Which lane holds what: the tables of PTX for mma.m16n8k8 (tf32) and m16n8k16 (bf16).
template <int PRECISION, int STEPS>
inline void multiply(float (&sum)[4], const unsigned (&a)[STEPS][4], const unsigned (&b)[STEPS][2]) {
    constexpr int K = PRECISION == 1 ? 8 : 16;
    Together &warp = *blocks[block_number].warps[threadIdx.x / 32];
    const int lane = threadIdx.x % 32;
    warp.a[lane] = a, warp.b[lane] = b;
    warp.meeting.arrive_and_wait();
    auto number = [](unsigned bits, int k) {
        return std::bit_cast<float>(PRECISION == 1 ? bits : k % 2 ? bits & 0xffff0000u : bits << 16);
    };
    for (int i = 0; i < 4; i++) {
        const int row = lane / 4, column = lane % 4 * 2 + i % 2, lower = i / 2;
        for (int s = 0; s < STEPS; s++) {
            for (int k = 0; k < K; k++) {
                const int holder = k % (K / 2) / (K / 8), upper = k / (K / 2);
                const unsigned x = ((const unsigned(*)[4])warp.a[row * 4 + holder])[s][upper * 2 + lower];
                const unsigned y = ((const unsigned(*)[2])warp.b[column * 4 + holder])[s][upper];
                sum[i] += number(x, k) * number(y, k);
            }
        }
    }
    warp.meeting.arrive_and_wait();
}

// Runs `kernel` over a grid; blocks of one cluster, or all of them, side by side.
inline void launch(dim3 grid, unsigned threads, unsigned cluster, size_t shared, bool together,
                   const std::function<void()> &kernel) {
    unsigned count = grid.x * grid.y * grid.z;
    gridDim = grid;
    blockDim = {threads, 1, 1};
    cluster_size = cluster;
    blocks.clear();
    clusters.clear();
    for (unsigned b = 0; b < count; b++) {
        // Poisoned: what a kernel does not set, it must not read.
        Block block{std::vector<float>(shared, NAN), std::make_unique<std::barrier<>>(threads), {}};
        for (unsigned w = 0; w < threads / 32; w++) block.warps.push_back(std::make_unique<Together>());
        blocks.push_back(std::move(block));
    }
    for (unsigned c = 0; c < count / cluster; c++) {
        clusters.push_back(std::make_unique<std::barrier<>>(threads * cluster));
    }
    unsigned at_once = together ? count : cluster;
    for (unsigned first = 0; first < count; first += at_once) {
        std::vector<std::thread> all;
        for (unsigned b = first; b < first + at_once; b++) {
            for (unsigned t = 0; t < threads; t++) {
                all.emplace_back([&, b, t] {
                    block_number = b;
                    blockIdx = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
                    threadIdx = {t, 0, 0};
                    kernel();
                });
            }
        }
        for (auto &thread : all) thread.join();
    }
}
