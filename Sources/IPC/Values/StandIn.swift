internal import IPCProtocol

struct IPCValueEncoder {
    func encode<T: Encodable>(_ v: T) throws -> IPCValue { v as? String == nil ? .undefined : IPCValue(v as! String) }
}
struct IPCValueDecoder { func decode<T: Decodable>(_ t: T.Type, from v: IPCValue) throws -> T { v.string as! T } }
