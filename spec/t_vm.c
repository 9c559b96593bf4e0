/* SPDX-License-Identifier: Apache-2.0 */
/* config-vm.md: the vm object. No other runtime reads it; which parts of it a backend accepts is the
 * policy's decision, not the decoder's. */
#include "spec/fields.h"

static const struct jfield program_f[] = {
	F_PATH(struct spec_vm_program, path, .flags = J_REQUIRED),
	F_STRS(struct spec_vm_program, parameters),
};
static const struct jtable program_t = F_TABLE(struct spec_vm_program, program_f);

static const struct jfield kernel_f[] = {
	F_PATH(struct spec_vm_kernel, path, .flags = J_REQUIRED),
	F_PATH(struct spec_vm_kernel, initrd),
	F_STRS(struct spec_vm_kernel, parameters),
};
static const struct jtable kernel_t = F_TABLE(struct spec_vm_kernel, kernel_f);

static const struct name_val image_formats[] = {
	{.name = "raw"}, {.name = "qcow2"}, {.name = "vdi"}, {.name = "vmdk"}, {.name = "vhd"},
};
static const struct jfield image_f[] = {
	F_PATH(struct spec_vm_image, path, .flags = J_REQUIRED),
	F_STR(struct spec_vm_image, format, .flags = J_REQUIRED, F_ONE_OF(image_formats)),
};
static const struct jtable image_t = F_TABLE(struct spec_vm_image, image_f);

static const struct jfield iomem_f[] = {
	F_UINT(struct spec_vm_iomem, firstGFN),
	F_UINT(struct spec_vm_iomem, firstMFN, .flags = J_REQUIRED),
	F_UINT(struct spec_vm_iomem, nrMFNs, .flags = J_REQUIRED),
};
static const struct jtable iomem_t = F_TABLE(struct spec_vm_iomem, iomem_f);

static const struct jfield hw_f[] = {
	F_STR(struct spec_vm_hw, deviceTree, .flags = J_NONEMPTY),
	F_UINT(struct spec_vm_hw, vcpus, .max = UINT32_MAX),
	F_UINT(struct spec_vm_hw, memory),
	F_STRS(struct spec_vm_hw, dtdevs),
	F_OBJS(struct spec_vm_hw, iomems, struct spec_vm_iomem, &iomem_t),
	F_UINTS(struct spec_vm_hw, irqs, .max = UINT32_MAX),
};
static const struct jtable hw_t = F_TABLE(struct spec_vm_hw, hw_f);

static const struct jfield vm_f[] = {
	F_OBJ(struct spec_vm, hypervisor, struct spec_vm_program, &program_t),
	F_OBJ(struct spec_vm, kernel, struct spec_vm_kernel, &kernel_t, .flags = J_REQUIRED),
	F_OBJ(struct spec_vm, image, struct spec_vm_image, &image_t),
	F_OBJ(struct spec_vm, hwConfig, struct spec_vm_hw, &hw_t),
};
const struct jtable spec_t_vm = F_TABLE(struct spec_vm, vm_f);
