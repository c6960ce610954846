"""The sentences of CredHub's errors, as far as the stand-in says them, and the error that carries one."""

from __future__ import annotations

ACCESS = (
    "The request could not be completed because the credential does not exist or you do not have sufficient "
    "authorization."
)
CA_ACCESS = (
    "The request could not be completed because the CA does not exist or you do not have sufficient authorization."
)
BAD_REQUEST = (
    "The request could not be fulfilled because the request path or body did not meet expectation. Please check the "
    "documentation for required formatting and retry your request."
)
TYPE_MISMATCH = (
    "The credential type cannot be modified. Please delete the credential if you wish to create it with a different "
    "type."
)
TRANSITIONAL = "The maximum number of transitional versions for a given CA is 1."
NAME_CHARACTERS = (
    "Credential names may only include alpha, numeric, hyphen, underscore, and forward-slash characters. Please update "
    "and retry your request."
)
NAME_SLASH = (
    "A credential name cannot end with a '/' character or contain '//'. Credential names should be in the form of "
    "/[path]/[name] or [path]/[name]. Please update and retry your request."
)
NAME_LENGTH = "The request could not be completed. The credential name cannot exceed 1024 characters"
NAME_MISSING = "A credential name must be provided. Please validate your input and retry your request."
METADATA_LENGTH = "The request could not be completed. The credential metadata cannot exceed 7000 characters"
SET_TYPE = (
    "The request does not include a valid type. Valid values include 'value', 'json', 'password', 'user', "
    "'certificate', 'ssh' and 'rsa'."
)
GENERATE_TYPE = (
    "The request does not include a valid type. Valid values for generate include 'password', 'user', 'certificate', "
    "'ssh' and 'rsa'."
)
CANNOT_GENERATE = (
    "Credentials of this type cannot be generated. Please adjust the credential type and retry your request."
)
MODE = (
    "The request does not include a valid mode. Valid values for generate include 'overwrite', 'no-overwrite' and "
    "'converge'."
)
MODE_AND_OVERWRITE = "The parameters overwrite and mode cannot be combined. Please update and retry your request."
NO_PARAMETERS = "This request must include a value for 'parameters'."
NO_VALUE = "A non-empty value must be specified for the credential. Please validate and retry your request."
NO_SUBJECT = (
    "At least one subject value, such as common name or organization, must be defined to generate the certificate. "
    "Please update and retry your request."
)
NO_CA = (
    "You must specify a signing CA or indicate self-signing when generating a certificate. Please update and retry "
    "your request."
)
CA_AND_SELF_SIGN = (
    "The parameters 'ca' and 'self-sign' cannot be used in combination. Please update and retry your request."
)
NOT_A_CA = (
    "The requested certificate cannot be signed by the given CA because the given CA is not a certificate authority."
)
CA_NO_KEY = "The specified CA object does not have an associated private key."
CA_AND_NAME = "Only one of the values 'ca_name' and 'ca' may be provided. Please update and retry your request."
NOT_SIGNED = "The provided certificate was not signed by the CA specified in the 'ca' property."
NOT_SIGNED_NAME = "The provided certificate was not signed by the CA specified in the 'ca_name' property."
CA_VALUE = "The provided CA value is not a valid X509 certificate authority."
CERTIFICATE_VALUE = "The provided certificate value is not a valid X509 certificate."
CERTIFICATE_LENGTH = (
    "The provided certificate value is too long. Certificate lengths must be less than 7000 characters."
)
WRONG_KEY = "The provided certificate does not match the private key."
MALFORMED_KEY = "Private key is malformed. Key file does not contain an RSA private key"
KEY_LENGTH = "The provided key length is not supported. Valid values include '2048', '3072' and '4096'."
DURATION = "Invalid duration specified. The supported duration values are whole numbers between 1-3650."
ALTERNATIVE = (
    "A provided alternative name is not a valid hostname or IP address. Please update this value and retry your "
    "request."
)
CHARSETS = (
    "The combination of parameters in the request is not allowed. Please validate your input and retry your request."
)
NOT_REGENERATED = (
    "The credential could not be regenerated because the certificate was statically set and is not self-signed or is "
    "invalid."
)
PASSWORD_SET = (
    "The password could not be regenerated because the value was statically set. Only generated passwords may be "
    "regenerated."
)
LAST_VERSION = "The minimum number of versions for a Certificate is 1."
OTHER_VERSION = (
    "The request could not be completed because the specified version does not exist or does not belong to the "
    "specified credential."
)
TOO_LARGE = "Value exceeds the maximum size."
READ_ONLY = "Service Unavailable. Credhub is currently in read only mode."
CURRENT_AND_VERSIONS = "The query parameters current and versions cannot be provided in the same request."
NOT_JSON_TYPE = "The credential '{}' is not the expected type. A credhub-ref credential must be of type 'JSON'."
PERMISSION_EXISTS = (
    "A permission entry for this actor and path already exists. Please use PUT to update the permission entry."
)
PERMISSION_ACCESS = (
    "The request could not be completed because the permission does not exist or you do not have sufficient "
    "authorization."
)
PERMISSION_OPERATION = (
    "The provided operation is not supported. Valid values include read, write, delete, read_acl, and write_acl."
)
PERMISSION_PAIR = "The permission guid does not match the provided actor and path."
OWN_PERMISSION = (
    "Modification of access control for the authenticated user is not allowed. Please contact an administrator."
)
MTLS_IDENTITY = (
    "The provided authentication mechanism does not provide a valid identity. Please contact your system administrator."
)


def unknown_key(key: str) -> str:
    return (
        f"The request includes an unrecognized parameter '{key}'. Please update or remove this parameter and retry "
        "your request."
    )


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
