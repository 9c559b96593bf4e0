{
	"defaultAction": "SCMP_ACT_ALLOW",
	"syscalls": [{"names": ["add_key", "keyctl", "request_key"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]
}
