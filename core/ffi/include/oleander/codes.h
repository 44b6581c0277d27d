/* HRESULTs, flags and limits. Included by oleander.h. */
#ifndef OLEANDER_CODES_H
#define OLEANDER_CODES_H

#include "types.h"

#define OLEANDER_HRESULT(value) OLEANDER_CAST(HRESULT, value##u)
#define SUCCEEDED(hr) (OLEANDER_CAST(HRESULT, hr) >= 0)
#define FAILED(hr) (OLEANDER_CAST(HRESULT, hr) < 0)
#define HRESULT_CODE(hr) ((hr) & 0xFFFF)
#define HRESULT_FROM_WIN32(error) \
    OLEANDER_CAST(HRESULT, (error) == 0 ? 0u : (OLEANDER_CAST(uint32_t, error) & 0xFFFFu) | 0x80070000u)

/* RPC_S_CALLPENDING and RPC_S_WAITONTIMER are failures to SUCCEEDED and FAILED, whatever their names say. */
#define S_OK                                 OLEANDER_HRESULT(0x00000000)
#define S_FALSE                              OLEANDER_HRESULT(0x00000001)
#define CO_S_NOTALLINTERFACES                OLEANDER_HRESULT(0x00080012)
#define RO_E_BLOCKED_CROSS_ASTA_CALL         OLEANDER_HRESULT(0x8000001F)
#define E_NOTIMPL                            OLEANDER_HRESULT(0x80004001)
#define E_NOINTERFACE                        OLEANDER_HRESULT(0x80004002)
#define E_POINTER                            OLEANDER_HRESULT(0x80004003)
#define E_ABORT                              OLEANDER_HRESULT(0x80004004)
#define E_FAIL                               OLEANDER_HRESULT(0x80004005)
#define CO_E_NOT_SUPPORTED                   OLEANDER_HRESULT(0x80004021)
#define E_UNEXPECTED                         OLEANDER_HRESULT(0x8000FFFF)
#define RPC_E_CALL_REJECTED                  OLEANDER_HRESULT(0x80010001)
#define RPC_E_CALL_CANCELED                  OLEANDER_HRESULT(0x80010002)
#define RPC_E_CANTPOST_INSENDCALL            OLEANDER_HRESULT(0x80010003)
#define RPC_E_CANTCALLOUT_INASYNCCALL        OLEANDER_HRESULT(0x80010004)
#define RPC_E_CANTCALLOUT_INEXTERNALCALL     OLEANDER_HRESULT(0x80010005)
#define RPC_E_CONNECTION_TERMINATED          OLEANDER_HRESULT(0x80010006)
#define RPC_E_SERVER_DIED                    OLEANDER_HRESULT(0x80010007)
#define RPC_E_CLIENT_DIED                    OLEANDER_HRESULT(0x80010008)
#define RPC_E_SERVER_DIED_DNE                OLEANDER_HRESULT(0x80010012)
#define RPC_E_SYS_CALL_FAILED                OLEANDER_HRESULT(0x80010100)
#define RPC_E_OUT_OF_RESOURCES               OLEANDER_HRESULT(0x80010101)
#define RPC_E_ATTEMPTED_MULTITHREAD          OLEANDER_HRESULT(0x80010102)
#define RPC_E_FAULT                          OLEANDER_HRESULT(0x80010104)
#define RPC_E_SERVERFAULT                    OLEANDER_HRESULT(0x80010105)
#define RPC_E_CHANGED_MODE                   OLEANDER_HRESULT(0x80010106)
#define RPC_E_INVALIDMETHOD                  OLEANDER_HRESULT(0x80010107)
#define RPC_E_DISCONNECTED                   OLEANDER_HRESULT(0x80010108)
#define RPC_E_RETRY                          OLEANDER_HRESULT(0x80010109)
#define RPC_E_SERVERCALL_RETRYLATER          OLEANDER_HRESULT(0x8001010A)
#define RPC_E_SERVERCALL_REJECTED            OLEANDER_HRESULT(0x8001010B)
#define RPC_E_CANTCALLOUT_ININPUTSYNCCALL    OLEANDER_HRESULT(0x8001010D)
#define RPC_E_WRONG_THREAD                   OLEANDER_HRESULT(0x8001010E)
#define RPC_E_THREAD_NOT_INIT                OLEANDER_HRESULT(0x8001010F)
#define RPC_E_INVALID_IPID                   OLEANDER_HRESULT(0x80010113)
#define RPC_E_INVALID_OBJECT                 OLEANDER_HRESULT(0x80010114)
#define RPC_S_CALLPENDING                    OLEANDER_HRESULT(0x80010115)
#define RPC_S_WAITONTIMER                    OLEANDER_HRESULT(0x80010116)
#define RPC_E_CALL_COMPLETE                  OLEANDER_HRESULT(0x80010117)
#define RPC_E_INVALID_OBJREF                 OLEANDER_HRESULT(0x8001011D)
#define RPC_E_NO_CONTEXT                     OLEANDER_HRESULT(0x8001011E)
#define RPC_E_TIMEOUT                        OLEANDER_HRESULT(0x8001011F)
#define RPC_E_NO_SYNC                        OLEANDER_HRESULT(0x80010120)
#define CO_E_CANCEL_DISABLED                 OLEANDER_HRESULT(0x80010140)
#define RPC_E_UNEXPECTED                     OLEANDER_HRESULT(0x8001FFFF)
#define STG_E_INVALIDFUNCTION                OLEANDER_HRESULT(0x80030001)
#define STG_E_INVALIDPOINTER                 OLEANDER_HRESULT(0x80030009)
#define STG_E_READFAULT                      OLEANDER_HRESULT(0x8003001E)
#define DV_E_DVTARGETDEVICE                  OLEANDER_HRESULT(0x80040065)
#define DV_E_TYMED                           OLEANDER_HRESULT(0x80040069)
#define CLASS_E_NOAGGREGATION                OLEANDER_HRESULT(0x80040110)
#define CLASS_E_CLASSNOTAVAILABLE            OLEANDER_HRESULT(0x80040111)
#define REGDB_E_CLASSNOTREG                  OLEANDER_HRESULT(0x80040154)
#define REGDB_E_IIDNOTREG                    OLEANDER_HRESULT(0x80040155)
#define CO_E_NOTINITIALIZED                  OLEANDER_HRESULT(0x800401F0)
#define CO_E_ALREADYINITIALIZED              OLEANDER_HRESULT(0x800401F1)
#define CO_E_CLASSSTRING                     OLEANDER_HRESULT(0x800401F3)
#define CO_E_IIDSTRING                       OLEANDER_HRESULT(0x800401F4)
#define CO_E_OBJNOTREG                       OLEANDER_HRESULT(0x800401FB)
#define CO_E_OBJISREG                        OLEANDER_HRESULT(0x800401FC)
#define CO_E_OBJNOTCONNECTED                 OLEANDER_HRESULT(0x800401FD)
#define CO_E_RELEASED                        OLEANDER_HRESULT(0x800401FF)
#define CONTEXT_E_WOULD_DEADLOCK             OLEANDER_HRESULT(0x8004E005)
#define E_ACCESSDENIED                       OLEANDER_HRESULT(0x80070005)
#define E_HANDLE                             OLEANDER_HRESULT(0x80070006)
#define E_OUTOFMEMORY                        OLEANDER_HRESULT(0x8007000E)
#define E_INVALIDARG                         OLEANDER_HRESULT(0x80070057)
#define RPC_S_UNKNOWN_IF_HR                  OLEANDER_HRESULT(0x800706B5)
#define RPC_S_SERVER_UNAVAILABLE_HR          OLEANDER_HRESULT(0x800706BA)
#define RPC_S_CALL_FAILED_HR                 OLEANDER_HRESULT(0x800706BE)
#define RPC_S_CALL_FAILED_DNE_HR             OLEANDER_HRESULT(0x800706BF)
#define RPC_S_INVALID_BOUND_HR               OLEANDER_HRESULT(0x800706C6)
#define RPC_X_BAD_STUB_DATA_HR               OLEANDER_HRESULT(0x800706F7)
#define RPC_X_NULL_REF_POINTER_HR            OLEANDER_HRESULT(0x800706F4)
#define RPC_S_CALL_CANCELLED_HR              OLEANDER_HRESULT(0x8007071A)

/* Errors of Win32 that calls end with, as numbers of their own. The names with _HR above are their HRESULTs. */
#define RPC_S_UNKNOWN_IF                     1717
#define RPC_S_SERVER_UNAVAILABLE             1722
#define RPC_S_CALL_FAILED                    1726
#define RPC_S_CALL_FAILED_DNE                1727
#define RPC_S_INVALID_BOUND                  1734
#define RPC_X_NULL_REF_POINTER               1780
#define RPC_X_BAD_STUB_DATA                  1783
#define RPC_S_CALL_CANCELLED                 1818

typedef uint32_t COWAIT_FLAGS;
typedef uint32_t CWMO_FLAGS;
typedef uint32_t COINIT;
typedef int32_t APTTYPE;
typedef int32_t APTTYPEQUALIFIER;
typedef int32_t THDTYPE;
typedef uint32_t MSHCTX;
typedef uint32_t MSHLFLAGS;
typedef int32_t AgileReferenceOptions;
typedef uint32_t EXTCONN;
typedef uint32_t STDMSHLFLAGS;
typedef uint32_t REGCLS;
typedef uint32_t CLSCTX;
typedef uint32_t CALLTYPE;
typedef uint32_t SERVERCALL;
typedef uint32_t PENDINGTYPE;
typedef uint32_t PENDINGMSG;
typedef uint32_t DCOM_CALL_STATE;
typedef int32_t AgileReferenceOptions;

/* Flags of CoWaitForMultipleHandles and ISynchronize::Wait. */
#define COWAIT_DEFAULT                       0
#define COWAIT_WAITALL                       1
#define COWAIT_ALERTABLE                     2
#define COWAIT_INPUTAVAILABLE                4
#define COWAIT_DISPATCH_CALLS                8
#define COWAIT_DISPATCH_WINDOW_MESSAGES      0x10

/* Flags and limit of CoWaitForMultipleObjects. */
#define CWMO_DEFAULT                         0
#define CWMO_DISPATCH_CALLS                  1
#define CWMO_DISPATCH_WINDOW_MESSAGES        2
#define CWMO_MAX_HANDLES                     56

/* Concurrency model and options of CoInitializeEx. */
#define COINIT_MULTITHREADED                 0
#define COINIT_APARTMENTTHREADED             2
#define COINIT_DISABLE_OLE1DDE               4
#define COINIT_SPEED_OVER_MEMORY             8

/* Apartment types. */
#define APTTYPE_CURRENT                      (-1)
#define APTTYPE_STA                          0
#define APTTYPE_MTA                          1
#define APTTYPE_NA                           2
#define APTTYPE_MAINSTA                      3

/* What else is true of the apartment. */
#define APTTYPEQUALIFIER_NONE                0
#define APTTYPEQUALIFIER_IMPLICIT_MTA        1
#define APTTYPEQUALIFIER_NA_ON_MTA           2
#define APTTYPEQUALIFIER_NA_ON_STA           3
#define APTTYPEQUALIFIER_NA_ON_IMPLICIT_MTA  4
#define APTTYPEQUALIFIER_NA_ON_MAINSTA       5
#define APTTYPEQUALIFIER_APPLICATION_STA     6

/* Whether a thread dispatches messages. */
#define THDTYPE_BLOCKMESSAGES                0
#define THDTYPE_PROCESSMESSAGES              1

/* Where a packet goes. */
#define MSHCTX_LOCAL                         0
#define MSHCTX_NOSHAREDMEM                   1
#define MSHCTX_DIFFERENTMACHINE              2
#define MSHCTX_INPROC                        3
#define MSHCTX_CROSSCTX                      4
#define MSHCTX_CONTAINER                     5

/* How long a packet lives. */
#define MSHLFLAGS_NORMAL                     0
#define MSHLFLAGS_TABLESTRONG                1
#define MSHLFLAGS_TABLEWEAK                  2
#define MSHLFLAGS_NOPING                     4

/* What sort of connection IExternalConnection is told of. */
#define EXTCONN_STRONG                       1
#define EXTCONN_WEAK                         2
#define EXTCONN_CALLABLE                     4

/* What CoGetStdMarshalEx makes. */
#define SMEXF_SERVER                         1
#define SMEXF_HANDLER                        2

/* How a class object is registered. */
#define REGCLS_SINGLEUSE                     0
#define REGCLS_MULTIPLEUSE                   1
#define REGCLS_MULTI_SEPARATE                2
#define REGCLS_SUSPENDED                     4
#define REGCLS_SURROGATE                     8

/* Where a class runs. */
#define CLSCTX_INPROC_SERVER                 1
#define CLSCTX_INPROC_HANDLER                2
#define CLSCTX_LOCAL_SERVER                  4
#define CLSCTX_REMOTE_SERVER                 0x10
#define CLSCTX_ALL                           0x17
#define CLSCTX_APPCONTAINER                  0x400000

/* A message is a notification of the old kind. */
#define RPCFLG_ASYNCHRONOUS                  0x40000000
#define RPCFLG_INPUT_SYNCHRONOUS             0x20000000

/* What kind of call arrives at a message filter. */
#define CALLTYPE_TOPLEVEL                    1
#define CALLTYPE_NESTED                      2
#define CALLTYPE_ASYNC                       3
#define CALLTYPE_TOPLEVEL_CALLPENDING        4
#define CALLTYPE_ASYNC_CALLPENDING           5

/* What a message filter says of an incoming call. */
#define SERVERCALL_ISHANDLED                 0
#define SERVERCALL_REJECTED                  1
#define SERVERCALL_RETRYLATER                2

/* What kind of call is pending when a window message comes. */
#define PENDINGTYPE_TOPLEVEL                 1
#define PENDINGTYPE_NESTED                   2

/* What a message filter says of a window message during a call. */
#define PENDINGMSG_CANCELCALL                0
#define PENDINGMSG_WAITNOPROCESS             1
#define PENDINGMSG_WAITDEFPROCESS            2

/* State of a call, as IAsyncManager::GetState reports it. */
#define DCOM_NONE                            0
#define DCOM_CALL_COMPLETE                   1
#define DCOM_CALL_CANCELED                   2

/* When an agile reference marshals. */
#define AGILEREFERENCE_DEFAULT               0
#define AGILEREFERENCE_DELAYEDMARSHAL        1

/* Times and results of waits. INFINITE is in milliseconds. */
#define INFINITE                             0xFFFFFFFF
#define WAIT_OBJECT_0                        0
#define WAIT_ABANDONED_0                     0x80
#define WAIT_IO_COMPLETION                   0xC0
#define WAIT_TIMEOUT                         258
#define WAIT_FAILED                          0xFFFFFFFF
#define MAXIMUM_WAIT_OBJECTS                 64

/* Wait for the server's acknowledgement for ever; a parameter in seconds. */
#define RPC_C_CANCEL_INFINITE_TIMEOUT        0xFFFFFFFF

#define RPC_C_AUTHN_NONE                     0
#define RPC_C_AUTHN_DCE_PRIVATE              1
#define RPC_C_AUTHN_DCE_PUBLIC               2
#define RPC_C_AUTHN_DEC_PUBLIC               4
#define RPC_C_AUTHN_GSS_NEGOTIATE            9
#define RPC_C_AUTHN_WINNT                    10
#define RPC_C_AUTHN_GSS_SCHANNEL             14
#define RPC_C_AUTHN_GSS_KERBEROS             16
#define RPC_C_AUTHN_DPA                      17
#define RPC_C_AUTHN_MSN                      18
#define RPC_C_AUTHN_KERNEL                   20
#define RPC_C_AUTHN_DIGEST                   21
#define RPC_C_AUTHN_MQ                       100
#define RPC_C_AUTHN_DEFAULT                  0xFFFFFFFF
#define RPC_C_AUTHZ_NONE                     0
#define RPC_C_AUTHZ_NAME                     1
#define RPC_C_AUTHZ_DCE                      2
#define RPC_C_AUTHZ_DEFAULT                  0xFFFFFFFF
#define RPC_C_AUTHN_LEVEL_DEFAULT            0
#define RPC_C_AUTHN_LEVEL_NONE               1
#define RPC_C_AUTHN_LEVEL_CONNECT            2
#define RPC_C_AUTHN_LEVEL_CALL               3
#define RPC_C_AUTHN_LEVEL_PKT                4
#define RPC_C_AUTHN_LEVEL_PKT_INTEGRITY      5
#define RPC_C_AUTHN_LEVEL_PKT_PRIVACY        6
#define RPC_C_IMP_LEVEL_DEFAULT              0
#define RPC_C_IMP_LEVEL_ANONYMOUS            1
#define RPC_C_IMP_LEVEL_IDENTIFY             2
#define RPC_C_IMP_LEVEL_IMPERSONATE          3
#define RPC_C_IMP_LEVEL_DELEGATE             4
#define EOAC_NONE                            0
#define EOAC_MUTUAL_AUTH                     1
#define EOAC_STATIC_CLOAKING                 0x20
#define EOAC_DYNAMIC_CLOAKING                0x40
#define EOAC_ANY_AUTHORITY                   0x80
#define EOAC_MAKE_FULLSIC                    0x100
#define EOAC_DEFAULT                         0x800

/* Choices of CreateEventEx. */
#define CREATE_EVENT_MANUAL_RESET            1
#define CREATE_EVENT_INITIAL_SET             2

/* What a handle may do, of which nothing is checked. */
#define EVENT_MODIFY_STATE                   2
#define EVENT_ALL_ACCESS                     0x1F0003
#define SEMAPHORE_MODIFY_STATE               2
#define SEMAPHORE_ALL_ACCESS                 0x1F0003
#define MUTEX_ALL_ACCESS                     0x1F0001
#define SYNCHRONIZE                          0x100000
#define THREAD_ALL_ACCESS                    0x1FFFFF

/* How CreateThread starts a thread; the exit code of one that has not ended. */
#define CREATE_SUSPENDED                     4
#define STACK_SIZE_PARAM_IS_A_RESERVATION    0x10000
#define STILL_ACTIVE                         259

/* How RegisterWaitForSingleObject calls. */
#define WT_EXECUTEDEFAULT                    0
#define WT_EXECUTEINIOTHREAD                 1
#define WT_EXECUTEINWAITTHREAD               4
#define WT_EXECUTEONLYONCE                   8
#define WT_EXECUTELONGFUNCTION               0x10
#define WT_EXECUTEINPERSISTENTTHREAD         0x80

/* How DuplicateHandle treats its source. */
#define DUPLICATE_CLOSE_SOURCE               1
#define DUPLICATE_SAME_ACCESS                2

/* Window messages. */
#define WM_NULL                              0
#define WM_CREATE                            1
#define WM_DESTROY                           2
#define WM_CLOSE                             0x10
#define WM_QUIT                              0x12
#define WM_NCCREATE                          0x81
#define WM_NCDESTROY                         0x82
#define WM_TIMER                             0x113
#define WM_DDE_FIRST                         0x3E0
#define WM_DDE_LAST                          0x3E8
#define WM_USER                              0x400
#define WM_APP                               0x8000

/* Whether PeekMessage removes what it finds. */
#define PM_NOREMOVE                          0
#define PM_REMOVE                            1
#define PM_NOYIELD                           2

/* Flags of MsgWaitForMultipleObjectsEx. */
#define MWMO_WAITALL                         1
#define MWMO_ALERTABLE                       2
#define MWMO_INPUTAVAILABLE                  4

/* The shortest and the longest period of a timer, in milliseconds. */
#define USER_TIMER_MINIMUM                   0xA
#define USER_TIMER_MAXIMUM                   0x7FFFFFFF

/* What input wakes MsgWaitForMultipleObjectsEx. */
#define QS_POSTMESSAGE                       8
#define QS_TIMER                             0x10
#define QS_SENDMESSAGE                       0x40
#define QS_ALLPOSTMESSAGE                    0x100
#define QS_ALLINPUT                          0x4FF

/* Index of a window's user data. */
#define GWLP_USERDATA                        (-21)
#define GWLP_WNDPROC                         (-4)
#define GWL_STYLE                            (-16)
#define GWL_EXSTYLE                          (-20)

/* How SendMessageTimeout sends. */
#define SMTO_NORMAL                          0
#define SMTO_BLOCK                           1
#define SMTO_ABORTIFHUNG                     2
#define SMTO_NOTIMEOUTIFNOTHUNG              8
#define SMTO_ERRORONEXIT                     0x20

/* How the message was sent that a thread handles. */
#define ISMEX_NOSEND                         0
#define ISMEX_SEND                           1
#define ISMEX_NOTIFY                         2
#define ISMEX_CALLBACK                       4
#define ISMEX_REPLIED                        8

/* Win32 errors, as GetLastError gives them. */
#define ERROR_SUCCESS                        0
#define ERROR_IO_PENDING                     997
#define ERROR_FILE_NOT_FOUND                 2
#define ERROR_PATH_NOT_FOUND                 3
#define ERROR_GEN_FAILURE                    31
#define ERROR_INVALID_HANDLE                 6
#define ERROR_NOT_ENOUGH_MEMORY              8
#define ERROR_INVALID_PARAMETER              87
#define ERROR_INVALID_WINDOW_HANDLE          1400
#define ERROR_CANNOT_FIND_WND_CLASS          1407
#define ERROR_CLASS_ALREADY_EXISTS           1410
#define ERROR_CLASS_DOES_NOT_EXIST           1411
#define ERROR_INVALID_THREAD_ID              1444
#define ERROR_INVALID_INDEX                  1413
#define ERROR_ACCESS_DENIED                  5
#define ERROR_MOD_NOT_FOUND                  126
#define ERROR_ALREADY_EXISTS                 183
#define ERROR_NOT_OWNER                      288
#define ERROR_DISCARDED                      157
#define ERROR_NOT_LOCKED                     158
#define ERROR_CLASS_HAS_WINDOWS              1412
#define ERROR_NOT_ENOUGH_QUOTA               1816
#define ERROR_TIMEOUT                        1460
#define ERROR_TOO_MANY_POSTS                 298

/* Where data lie. */
#define TYMED_NULL                           0
#define TYMED_HGLOBAL                        1
#define TYMED_FILE                           2
#define TYMED_ISTREAM                        4
#define TYMED_ISTORAGE                       8
#define TYMED_GDI                            16
#define TYMED_MFPICT                         32
#define TYMED_ENHMF                          64

/* What memory CoGetMalloc is asked for. */
#define MEMCTX_TASK                          1
/* Threading models of OleanderRegisterInProcessClass. */
#define OLEANDER_THREADING_MAIN              0
#define OLEANDER_THREADING_APARTMENT         1
#define OLEANDER_THREADING_FREE              2
#define OLEANDER_THREADING_BOTH              3
#define OLEANDER_THREADING_NEUTRAL           4

/* Flags of OleanderRegisterInProcessClass. */
#define OLEANDER_CLASS_CONFIGURED            1

/* Properties of IGlobalOptions. */
#define COMGLOB_EXCEPTION_HANDLING           1
#define COMGLOB_APPID                        2
#define COMGLOB_RPC_THREADPOOL_SETTING       3
#define COMGLOB_RO_SETTINGS                  4
#define COMGLOB_UNMARSHALING_POLICY          5
#define COMGLOB_PROPERTIES_RESERVED1         6
#define COMGLOB_PROPERTIES_RESERVED2         7
#define COMGLOB_PROPERTIES_RESERVED3         8

/* Values of COMGLOB_EXCEPTION_HANDLING. */
#define COMGLOB_EXCEPTION_HANDLE             0
#define COMGLOB_EXCEPTION_DONOT_HANDLE_FATAL 1
#define COMGLOB_EXCEPTION_DONOT_HANDLE       1
#define COMGLOB_EXCEPTION_DONOT_HANDLE_ANY   2

/* Values of COMGLOB_RPC_THREADPOOL_SETTING. */
#define COMGLOB_RPC_THREADPOOL_SETTING_DEFAULT_POOL 0
#define COMGLOB_RPC_THREADPOOL_SETTING_PRIVATE_POOL 1

/* Values of COMGLOB_UNMARSHALING_POLICY. */
#define COMGLOB_UNMARSHALING_POLICY_NORMAL   0
#define COMGLOB_UNMARSHALING_POLICY_STRONG   1
#define COMGLOB_UNMARSHALING_POLICY_HYBRID   2

/* What global memory is. */
#define GMEM_FIXED                           0
#define GMEM_MOVEABLE                        2
#define GMEM_ZEROINIT                        0x40
#define GMEM_MODIFY                          0x80
#define GHND                                 0x42
#define GPTR                                 0x40

/* Stream positions. */
#define STREAM_SEEK_SET                      0
#define STREAM_SEEK_CUR                      1
#define STREAM_SEEK_END                      2

#endif /* OLEANDER_CODES_H */
